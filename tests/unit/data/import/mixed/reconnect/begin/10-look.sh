#!/bin/bash
logger "still there"
