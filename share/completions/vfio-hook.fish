# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vfio-hook(8). What can be asked of the program is asked of it.

function __vfio_hook_commands
    vfio-hook --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*   *\([^ ].*\)$/\1\t\2/p'
end

function __vfio_hook_domains
    for f in /etc/libvirt/qemu/*.xml /etc/libvirt/hooks/conf.d/*.ini
        string replace -r '.*/(.*)\.[^.]*$' '$1' -- $f
    end
end

function __vfio_hook_devices
    for f in /sys/bus/pci/devices/*
        string replace -r '.*/' '' -- $f
    end
end

# All ways to write what is typed: as sysfs does, without the domain, and whole cards.
function __vfio_hook_addresses
    set -l all (__vfio_hook_devices)
    set -l typed (commandline -ct)
    if test -n "$typed"
        set -a all (string replace -r '\.[0-7]$' '' -- $all | uniq -d | string replace -r '$' '.*')
        set -a all (string replace -f -r '^0000:' '' -- $all)
    end
    printf '%s\n' $all
end

function __vfio_hook_words
    count (commandline -opc | string match -v -- '-*')
end

complete -c vfio-hook -f
complete -c vfio-hook -n 'test (__vfio_hook_words) -eq 1' -a '(__vfio_hook_commands)'
complete -c vfio-hook -n '__fish_seen_subcommand_from check init plan run status test undo; and test (__vfio_hook_words) -eq 2' -a '(__vfio_hook_domains)'
complete -c vfio-hook -n '__fish_seen_subcommand_from plan run; and test (__vfio_hook_words) -eq 3' -a 'prepare start started stopped release boot'
complete -c vfio-hook -n '__fish_seen_subcommand_from steps' -a '(vfio-hook steps 2>/dev/null | string replace -r " +" \t)'
complete -c vfio-hook -n '__fish_seen_subcommand_from import; and test (__vfio_hook_words) -eq 2' -a '(__fish_complete_directories)'
complete -c vfio-hook -n '__fish_seen_subcommand_from import; and test (__vfio_hook_words) -eq 3' -a '(__vfio_hook_domains)'
complete -c vfio-hook -n '__fish_seen_subcommand_from devices' -a '(__vfio_hook_addresses)'
complete -c vfio-hook -n '__fish_seen_subcommand_from devices' -l gpu -d 'Only groups that have a display'
complete -c vfio-hook -n '__fish_seen_subcommand_from plan' -l diff -d 'Only the changes'
complete -c vfio-hook -n '__fish_seen_subcommand_from boot' -l early -d 'In an initramfs, where nothing is waited for'
complete -c vfio-hook -n '__fish_seen_subcommand_from undo' -l boot -d 'Of what was changed at boot'
complete -c vfio-hook -n '__fish_seen_subcommand_from undo' -l forget -d 'Give up what cannot be put back'
complete -c vfio-hook -n '__fish_seen_subcommand_from undo' -l orphans -d 'Of every domain that nobody stands behind'
complete -c vfio-hook -n '__fish_seen_subcommand_from init' -l write -d 'Into conf.d'
complete -c vfio-hook -n '__fish_seen_subcommand_from init' -s o -l output -r -F -d 'Into a file'
complete -c vfio-hook -n '__fish_seen_subcommand_from import' -l conf -r -F -d 'The kvm.conf of the scripts'
complete -c vfio-hook -n '__fish_seen_subcommand_from import' -l phase -x -a 'prepare start started stopped release boot' -d 'Of scripts outside of a tree'
complete -c vfio-hook -n '__fish_seen_subcommand_from check plan status devices steps' -s j -l json -d 'Output for programs'
complete -c vfio-hook -s v -l verbose -d 'The log on stderr'
complete -c vfio-hook -s h -l help -d 'A summary, or more about a command'
complete -c vfio-hook -l version -d 'The version'
complete -c vfio-hook -l root -x -a '(__fish_complete_directories)' -d 'All of /sys, /proc, … below a folder'
complete -c vfio-hook -l hooks-dir -x -a '(__fish_complete_directories)' -d 'Where conf.d and qemu.d are'
