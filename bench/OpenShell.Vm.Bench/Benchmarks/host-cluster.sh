#!/bin/sh
# In namespaces of its own (unshare), makes of the unpacked root image what the guest's PID 1 makes of it, and goes on as the program that is given: host-cluster.sh ROOT STATE ADDRESS node|control-plane PROGRAM...
# Nothing of it is to be seen outside: mounts, addresses and processes end with the namespaces. The state is on the disk, as the guest's is.
set -e
PATH=$PATH:/usr/sbin:/sbin
root=$1 state=$2 address=$3 what=$4
shift 4

# The node's address. On the loopback interface: nobody else is to be reached by it.
ip link set lo up
ip address add "$address/32" dev lo

# A mount of its own: the kubelet wants to know what is mounted on /.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs run "$root/run"
mount -t tmpfs dev "$root/dev"
for device in null zero full random urandom kmsg; do
    [ -e "/dev/$device" ] || continue
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
for folder in var/lib/openshell var/lib/etcd var/lib/containerd var/lib/kubelet var/log etc/kubernetes; do
    mkdir -p "$state/$folder" "$root/$folder"
    mount --bind "$state/$folder" "$root/$folder"
done

if [ "$what" = node ]; then
    mount -t sysfs -o ro sys "$root/sys"
    # To look at: none is made here.
    mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
    for mounted in $(awk -v below="$root/sys/fs/cgroup" 'index($2, below) == 1 { print $2 }' /proc/self/mounts); do
        mount -o remount,bind,ro "$mounted"
    done
    # Of the whole host's kernel: the kubelet sets these (setupKernelTunables in https://github.com/kubernetes/kubernetes/blob/v1.20.2/pkg/kubelet/cm/container_manager_linux.go),
    # and finds here that they are as it wants them.
    mkdir "$root/run/sysctl"
    while read -r name value; do
        file=$root/run/sysctl/$(basename "$name")
        echo "$value" >"$file"
        mount --bind "$file" "$root/proc/sys/$name"
    done <<'TUNABLES'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
TUNABLES
fi

exec "$@"
