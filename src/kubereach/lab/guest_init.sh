# The guest's first process. Its settings are put in front of this text (guest.py).
#
# Its root is the machine's, read-only; everybody else lives in an overlay whose changes are in memory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8
unset root rootfstype rootflags con con0 mem
"$SHARE/mount" -t proc proc /proc
# The kernel looks for modules from its own root, where they stand somewhere else.
echo "$SHARE/modprobe" >/proc/sys/kernel/modprobe
"$SHARE/mount" -t sysfs sysfs /sys
"$SHARE/mount" -t tmpfs tmpfs /mnt
mkdir /mnt/changes /mnt/work /mnt/root
root=/mnt/root
"$SHARE/mount" -t overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work overlay $root || exit 1
mkdir -p $root/usr/lib/modules $root/mnt/share
"$SHARE/mount" --bind "$MODULES" $root/usr/lib/modules
"$SHARE/mount" -t proc proc $root/proc
"$SHARE/mount" -t sysfs sysfs $root/sys
"$SHARE/mount" --bind /dev $root/dev
"$SHARE/mount" -t tmpfs tmpfs $root/run
"$SHARE/mount" -t hostfs -o "$SHARE" none $root/mnt/share || exit 1
for program in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    # This kernel has the older of the two packet filters alone.
    ln -sf xtables-legacy-multi $root/usr/sbin/$program
done
echo "$NAME" >/proc/sys/kernel/hostname
ip link set lo up
modprobe -d "$SHARE/modules" -qa veth bridge dummy ip_vs ip_vs_rr nf_conntrack nf_conntrack_netlink ip_set xt_set \
    xt_ipvs xt_MASQUERADE iptable_nat iptable_filter
# A shell stays the first process, because it reaps what daemons leave behind.
chroot $root "$PYTHON" -m kubereach.lab.guest_server /mnt/share "$NAME" </dev/console
