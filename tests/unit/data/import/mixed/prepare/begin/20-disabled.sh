#!/bin/bash
systemctl stop never
