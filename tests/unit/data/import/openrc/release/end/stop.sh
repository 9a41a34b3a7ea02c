#!/bin/sh
modprobe nvidia_drm modeset=1
rc-service xdm start
