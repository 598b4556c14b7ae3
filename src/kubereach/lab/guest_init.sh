# The guest's first process. SHARE, MODULES, PYTHON, NAME and PYTHONPATH are set in front of this text.
#
# Its root is the machine's, read-only; everybody else lives in an overlay whose changes are in memory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8
unset root rootfstype rootflags con con0 mem
mount -t proc proc /proc
# The kernel looks for modules from its own root, where they stand somewhere else.
echo "$SHARE/modprobe" >/proc/sys/kernel/modprobe
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /mnt
mkdir /mnt/changes /mnt/work /mnt/root
root=/mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work overlay $root || exit 1
mkdir -p $root/usr/lib/modules $root/mnt/share
mount --bind "$MODULES" $root/usr/lib/modules
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount --bind /dev $root/dev
mount -t tmpfs tmpfs $root/run
mount -t hostfs -o "$SHARE" none $root/mnt/share || exit 1
for program in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    # This kernel has the older of the two packet filters alone.
    ln -sf xtables-legacy-multi $root/usr/sbin/$program
done
ip link set lo up
modprobe -d "$SHARE/modules" -qa veth bridge dummy ip_vs ip_vs_rr nf_conntrack nf_conntrack_netlink ip_set xt_set \
    xt_ipvs xt_MASQUERADE iptable_nat iptable_filter
# A shell stays the first process, because it reaps what daemons leave behind.
chroot $root "$PYTHON" -m kubereach.lab.guest_server /mnt/share "$NAME" </dev/console
