#!/bin/sh
rc-service xdm stop
rmmod -f nvidia_drm
rmmod nvidia_uvm nvidia_modeset
rmmod nvidia
