using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Tests.Mounts;

public sealed class MountPlanTests
{
    [Fact]
    public void The_table_of_mounts_is_this() =>
        string.Join('\n', [.. MountPlan.Initramfs, .. MountPlan.Base, .. MountPlan.Kernel, .. StateLayout.Binds]).ShouldBe("""
            devtmpfs on /dev type devtmpfs flags 2 (mode=0755)
            proc on /proc type proc flags 14
            sysfs on /sys type sysfs flags 14
            tmpfs on /run type tmpfs flags 6 (mode=0755)
            tmpfs on /tmp type tmpfs flags 6 (mode=1777)
            devpts on /dev/pts type devpts flags 10 (gid=5,mode=0620,ptmxmode=0666)
            tmpfs on /dev/shm type tmpfs flags 6 (mode=1777)
            overlay on /etc type overlay flags 0 (lowerdir=/etc,upperdir=/run/openshell/overlay/etc/upper,workdir=/run/openshell/overlay/etc/work)
            overlay on /var type overlay flags 0 (lowerdir=/var,upperdir=/run/openshell/overlay/var/upper,workdir=/run/openshell/overlay/var/work)
            overlay on /root type overlay flags 0 (lowerdir=/root,upperdir=/run/openshell/overlay/root/upper,workdir=/run/openshell/overlay/root/work)
            overlay on /home type overlay flags 0 (lowerdir=/home,upperdir=/run/openshell/overlay/home/upper,workdir=/run/openshell/overlay/home/work)
            overlay on /opt type overlay flags 0 (lowerdir=/opt,upperdir=/run/openshell/overlay/opt/upper,workdir=/run/openshell/overlay/opt/work)
            overlay on /mnt type overlay flags 0 (lowerdir=/mnt,upperdir=/run/openshell/overlay/mnt/upper,workdir=/run/openshell/overlay/mnt/work)
            overlay on /srv type overlay flags 0 (lowerdir=/srv,upperdir=/run/openshell/overlay/srv/upper,workdir=/run/openshell/overlay/srv/work)
            cgroup2 on /sys/fs/cgroup type cgroup2 flags 14 (nsdelegate,memory_recursiveprot)
            bpf on /sys/fs/bpf type bpf flags 14 (mode=0700) optional
            mqueue on /dev/mqueue type mqueue flags 14 optional
            /var/lib/openshell/root/var/lib/containerd on /var/lib/containerd type bind flags 4096
            /var/lib/openshell/root/var/lib/kubelet on /var/lib/kubelet type bind flags 4096
            /var/lib/openshell/root/var/lib/etcd on /var/lib/etcd type bind flags 4096
            /var/lib/openshell/root/etc/kubernetes on /etc/kubernetes type bind flags 4096
            /var/lib/openshell/root/var/log on /var/log type bind flags 4096
            /var/lib/openshell/root/mnt on /mnt type bind flags 4096
            /var/lib/openshell/root/srv on /srv type bind flags 4096
            """);
}
