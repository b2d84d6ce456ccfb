namespace OpenShell.Vm.Kernels;

/// <summary>What of a kernel's symbols tells whether an option is built in.</summary>
/// <param name="Proves">A function that is in the kernel only if the option is; <see langword="null"/> if there is none.</param>
/// <param name="Needed">A function that is in the kernel whenever the option is; <see langword="null"/> if there is none, and nothing tells that the option is missing.</param>
internal sealed record KernelWitness(string? Proves, string? Needed);

/// <summary>
/// A witness for every option that <see cref="KernelCapabilities"/> asks about: a function, since a kernel without CONFIG_KALLSYMS_ALL names no variables, of Linux 6.1 and 6.12,
/// in the file beside it. A compiler may inline a function of one file, or make another of it under a longer name; so each is called from elsewhere, or its address is taken. None
/// is a system call, which has a weak stand-in where it is missing, and none has a stub for kernels without the option outside of the headers.
/// </summary>
internal static class KernelWitnesses
{
    private const string Prefix = "CONFIG_";

    private static readonly Dictionary<string, KernelWitness> Witnesses = new(StringComparer.Ordinal)
    {
        // Namespaces, control groups and security.
        ["NET_NS"] = Function("copy_net_ns"), // net/core/net_namespace.c
        ["PID_NS"] = Function("copy_pid_ns"), // kernel/pid_namespace.c
        ["IPC_NS"] = Function("copy_ipcs"), // ipc/namespace.c
        ["UTS_NS"] = Function("copy_utsname"), // kernel/utsname.c
        ["USER_NS"] = Function("create_user_ns"), // kernel/user_namespace.c
        ["CGROUP_SCHED"] = Function("sched_create_group"), // kernel/sched/core.c
        ["CFS_BANDWIDTH"] = Function("sched_cfs_period_timer"), // kernel/sched/fair.c
        ["CPUSETS"] = Function("cpuset_cpus_allowed"), // kernel/cgroup/cpuset.c
        ["MEMCG"] = Function("mem_cgroup_css_alloc"), // mm/memcontrol.c
        ["CGROUP_PIDS"] = Function("pids_css_alloc"), // kernel/cgroup/pids.c
        ["BLK_CGROUP"] = Function("blkcg_css_alloc"), // block/blk-cgroup.c
        ["BLK_DEV_THROTTLING"] = Function("__blk_throtl_bio"), // block/blk-throttle.c
        ["CGROUP_HUGETLB"] = Function("hugetlb_cgroup_css_alloc"), // mm/hugetlb_cgroup.c
        ["POSIX_MQUEUE"] = Function("mqueue_create"), // ipc/mqueue.c
        ["SECCOMP_FILTER"] = Function("seccomp_filter_release"), // kernel/seccomp.c
        ["BPF_SYSCALL"] = Function("bpf_map_new_fd"), // kernel/bpf/syscall.c
        ["CGROUP_BPF"] = Function("__cgroup_bpf_run_filter_skb"), // kernel/bpf/cgroup.c
        ["KEYS"] = Function("key_alloc"), // security/keys/key.c
        ["PSI"] = Function("psi_memstall_enter"), // kernel/sched/psi.c
        ["SECURITY_LANDLOCK"] = Function("landlock_create_ruleset"), // security/landlock/ruleset.c
        ["SECURITY_YAMA"] = Function("yama_ptrace_access_check"), // security/yama/yama_lsm.c
        ["IKCONFIG_PROC"] = Function("ikconfig_read_current"), // kernel/configs.c

        // File systems and devices.
        ["OVERLAY_FS"] = Function("ovl_fill_super"), // fs/overlayfs/super.c
        ["EXT4_FS"] = Function("__ext4_iget"), // fs/ext4/inode.c
        ["BLK_DEV_LOOP"] = Function("loop_queue_rq"), // drivers/block/loop.c
        ["EXT4_FS_POSIX_ACL"] = Function("ext4_get_acl"), // fs/ext4/acl.c
        ["INOTIFY_USER"] = Function("inotify_handle_inode_event"), // fs/notify/inotify/inotify_fsnotify.c
        ["HUGETLBFS"] = Function("hugetlb_file_setup"), // fs/hugetlbfs/inode.c
        ["SQUASHFS"] = Function("squashfs_read_inode"), // fs/squashfs/inode.c
        ["SQUASHFS_LZ4"] = Function("lz4_uncompress"), // fs/squashfs/lz4_wrapper.c
        ["9P_FS"] = Function("v9fs_session_init"), // fs/9p/v9fs.c
        ["NET_9P_VIRTIO"] = Function("p9_virtio_create"), // net/9p/trans_virtio.c
        ["FUSE_FS"] = Function("fuse_iget"), // fs/fuse/inode.c
        ["VIRTIO_FS"] = Function("virtio_fs_probe"), // fs/fuse/virtio_fs.c
        ["BINFMT_MISC"] = Function("load_misc_binary"), // fs/binfmt_misc.c
        ["VSOCKETS"] = Function("vsock_core_register"), // net/vmw_vsock/af_vsock.c
        ["VIRTIO_VSOCKETS"] = Function("virtio_vsock_probe"), // net/vmw_vsock/virtio_transport.c

        // Interfaces, routing and traffic control.
        ["VETH"] = Function("veth_xmit"), // drivers/net/veth.c
        ["BRIDGE"] = Function("br_handle_frame_finish"), // net/bridge/br_input.c
        ["BRIDGE_NETFILTER"] = Function("br_nf_hook_thresh"), // net/bridge/br_netfilter_hooks.c
        ["VXLAN"] = Function("vxlan_xmit"), // drivers/net/vxlan/vxlan_core.c
        ["IP_MULTIPLE_TABLES"] = Function("fib4_rule_default"), // net/ipv4/fib_rules.c
        ["IPV6"] = Function("ipv6_rcv"), // net/ipv6/ip6_input.c
        ["BRIDGE_VLAN_FILTERING"] = Function("br_vlan_filter_toggle"), // net/bridge/br_vlan.c
        ["DUMMY"] = Function("dummy_xmit"), // drivers/net/dummy.c
        ["MACVLAN"] = Function("macvlan_start_xmit"), // drivers/net/macvlan.c
        ["IPVLAN"] = Function("ipvlan_start_xmit"), // drivers/net/ipvlan/ipvlan_main.c
        ["VLAN_8021Q"] = Function("vlan_dev_hard_start_xmit"), // net/8021q/vlan_dev.c
        ["GENEVE"] = Function("geneve_xmit"), // drivers/net/geneve.c
        ["NET_IPIP"] = Function("ipip_tunnel_xmit"), // net/ipv4/ipip.c
        ["WIREGUARD"] = Function("wg_xmit"), // drivers/net/wireguard/device.c
        ["NET_VRF"] = Function("vrf_xmit"), // drivers/net/vrf.c
        ["TUN"] = Function("tun_net_xmit"), // drivers/net/tun.c
        ["IFB"] = Function("ifb_xmit"), // drivers/net/ifb.c
        ["NET_SCH_TBF"] = Function("tbf_enqueue"), // net/sched/sch_tbf.c
        ["NET_SCH_INGRESS"] = Function("clsact_init"), // net/sched/sch_ingress.c
        ["NET_CLS_U32"] = Function("u32_classify"), // net/sched/cls_u32.c
        ["NET_ACT_MIRRED"] = Function("tcf_mirred_act"), // net/sched/act_mirred.c
        ["NET_SCH_HTB"] = Function("htb_enqueue"), // net/sched/sch_htb.c
        ["NET_SCH_FQ_CODEL"] = Function("fq_codel_enqueue"), // net/sched/sch_fq_codel.c
        ["NET_SCH_NETEM"] = Function("netem_enqueue"), // net/sched/sch_netem.c

        // nftables, and what iptables shares with it.
        ["NF_TABLES"] = Function("nft_register_chain_type"), // net/netfilter/nf_tables_api.c
        ["NF_TABLES_IPV4"] = Function("nft_do_chain_ipv4"), // net/netfilter/nft_chain_filter.c
        ["NF_TABLES_IPV6"] = Function("nft_do_chain_ipv6"), // net/netfilter/nft_chain_filter.c
        ["NF_NAT"] = Function("nf_nat_setup_info"), // net/netfilter/nf_nat_core.c
        ["NFT_NAT"] = Function("nft_nat_init"), // net/netfilter/nft_nat.c
        ["NFT_CT"] = Function("nft_ct_get_init"), // net/netfilter/nft_ct.c
        ["NF_CONNTRACK"] = Function("nf_conntrack_in"), // net/netfilter/nf_conntrack_core.c
        ["NFT_NUMGEN"] = Function("nft_ng_random_init"), // net/netfilter/nft_numgen.c
        ["NFT_MASQ"] = Function("nft_masq_init"), // net/netfilter/nft_masq.c
        ["NFT_FIB_INET"] = Function("nft_fib_inet_eval"), // net/netfilter/nft_fib_inet.c
        ["NFT_FIB_IPV4"] = Function("nft_fib4_eval"), // net/ipv4/netfilter/nft_fib_ipv4.c
        ["NFT_FIB_IPV6"] = Function("nft_fib6_eval"), // net/ipv6/netfilter/nft_fib_ipv6.c
        ["NFT_REJECT"] = Function("nft_reject_init"), // net/netfilter/nft_reject.c
        ["NFT_REJECT_INET"] = Function("nft_reject_inet_eval"), // net/netfilter/nft_reject_inet.c
        ["NF_TABLES_INET"] = Function("nft_do_chain_inet"), // net/netfilter/nft_chain_filter.c
        ["NFT_LIMIT"] = Function("nft_limit_pkts_init"), // net/netfilter/nft_limit.c
        ["NFT_LOG"] = Function("nft_log_init"), // net/netfilter/nft_log.c
        ["NF_FLOW_TABLE"] = Function("flow_offload_add"), // net/netfilter/nf_flow_table_core.c
        ["NF_FLOW_TABLE_INET"] = Function("nf_flow_offload_inet_hook"), // net/netfilter/nf_flow_table_inet.c
        ["NFT_FLOW_OFFLOAD"] = Function("nft_flow_offload_eval"), // net/netfilter/nft_flow_offload.c
        ["NFT_CONNLIMIT"] = Function("nft_connlimit_init"), // net/netfilter/nft_connlimit.c
        ["NFT_QUOTA"] = Function("nft_quota_init"), // net/netfilter/nft_quota.c
        ["NFT_HASH"] = Function("nft_jhash_init"), // net/netfilter/nft_hash.c
        ["NFT_REDIR"] = Function("nft_redir_init"), // net/netfilter/nft_redir.c
        ["NFT_TPROXY"] = Function("nft_tproxy_init"), // net/netfilter/nft_tproxy.c
        ["NFT_SOCKET"] = Function("nft_socket_init"), // net/netfilter/nft_socket.c
        ["NF_TABLES_NETDEV"] = Function("nft_do_chain_netdev"), // net/netfilter/nft_chain_filter.c
        ["NF_TABLES_BRIDGE"] = Function("nft_do_chain_bridge"), // net/netfilter/nft_chain_filter.c: with NF_TABLES, even where it is a module by name
        ["NFT_BRIDGE_META"] = Function("nft_meta_bridge_get_init"), // net/bridge/netfilter/nft_meta_bridge.c
        ["NFT_BRIDGE_REJECT"] = Function("nft_reject_bridge_eval"), // net/bridge/netfilter/nft_reject_bridge.c
        ["NF_CT_NETLINK"] = Function("ctnetlink_get_conntrack"), // net/netfilter/nf_conntrack_netlink.c
        ["NFT_COMPAT"] = Function("nft_match_select_ops"), // net/netfilter/nft_compat.c

        // iptables, sets and IPVS.
        ["NETFILTER_XT_MATCH_COMMENT"] = Function("comment_mt"), // net/netfilter/xt_comment.c
        ["NETFILTER_XT_MATCH_CONNTRACK"] = Function("conntrack_mt_check"), // net/netfilter/xt_conntrack.c
        ["NETFILTER_XT_MARK"] = Function("mark_mt"), // net/netfilter/xt_mark.c
        ["NETFILTER_XT_MATCH_ADDRTYPE"] = Function("addrtype_mt_v1"), // net/netfilter/xt_addrtype.c
        ["NETFILTER_XT_MATCH_STATISTIC"] = Function("statistic_mt"), // net/netfilter/xt_statistic.c
        ["NETFILTER_XT_MATCH_RECENT"] = Function("recent_mt"), // net/netfilter/xt_recent.c
        ["NETFILTER_XT_MATCH_MULTIPORT"] = Function("multiport_mt"), // net/netfilter/xt_multiport.c
        ["NETFILTER_XT_NAT"] = Function("xt_dnat_target_v2"), // net/netfilter/xt_nat.c
        ["NETFILTER_XT_TARGET_MASQUERADE"] = Function("masquerade_tg"), // net/netfilter/xt_MASQUERADE.c
        ["IP_NF_TARGET_REJECT"] = Function("reject_tg"), // net/ipv4/netfilter/ipt_REJECT.c
        ["NETFILTER_XT_MATCH_LIMIT"] = Function("limit_mt"), // net/netfilter/xt_limit.c
        ["NETFILTER_XT_TARGET_LOG"] = Function("log_tg"), // net/netfilter/xt_LOG.c
        ["IP6_NF_FILTER"] = Function("ip6table_filter_table_init"), // net/ipv6/netfilter/ip6table_filter.c
        ["IP6_NF_NAT"] = Function("ip6table_nat_table_init"), // net/ipv6/netfilter/ip6table_nat.c
        ["IP_SET"] = Function("ip_set_test"), // net/netfilter/ipset/ip_set_core.c
        ["NETFILTER_XT_SET"] = Function("set_match_v4"), // net/netfilter/xt_set.c
        ["IP_SET_HASH_IP"] = Function("hash_ip4_kadt"), // net/netfilter/ipset/ip_set_hash_ip.c
        ["IP_SET_HASH_NET"] = Function("hash_net4_kadt"), // net/netfilter/ipset/ip_set_hash_net.c
        ["NETFILTER_XT_TARGET_TPROXY"] = Function("tproxy_tg4_v1"), // net/netfilter/xt_TPROXY.c
        ["NETFILTER_XT_MATCH_SOCKET"] = Function("socket_mt4_v1_v2_v3"), // net/netfilter/xt_socket.c
        ["IP_VS"] = Function("register_ip_vs_scheduler"), // net/netfilter/ipvs/ip_vs_sched.c
        ["IP_VS_RR"] = Function("ip_vs_rr_schedule"), // net/netfilter/ipvs/ip_vs_rr.c
        ["NETFILTER_XT_MATCH_IPVS"] = Function("ipvs_mt"), // net/netfilter/xt_ipvs.c

        // It only opens a menu, and no code asks for it; but what proves IP_MULTIPLE_TABLES, of that menu, proves it too (net/ipv4/Kconfig).
        ["IP_ADVANCED_ROUTER"] = new("fib4_rule_default", Needed: null),

        // In 6.12 the tables' code is an option of its own (..._LEGACY), which only options that depend on this one select: so it still proves this one.
        // Both select NETFILTER_XTABLES (net/netfilter/x_tables.c), without which neither is there (net/ipv4/netfilter/Kconfig, net/ipv6/netfilter/Kconfig).
        ["IP_NF_IPTABLES"] = new("ipt_register_table", "xt_register_target"), // net/ipv4/netfilter/ip_tables.c
        ["IP6_NF_IPTABLES"] = new("ip6t_register_table", "xt_register_target"), // net/ipv6/netfilter/ip6_tables.c
    };

    /// <summary>An option's witness; <see langword="null"/> if nobody asked about it yet.</summary>
    /// <param name="option">With its prefix: <c>CONFIG_VETH</c>.</param>
    public static KernelWitness? Of(string option) => Witnesses.GetValueOrDefault(option[Prefix.Length..]);

    /// <summary>All options that have an entry, with their prefix.</summary>
    public static IEnumerable<string> Options => Witnesses.Keys.Select(o => Prefix + o);

    // One that is in the kernel exactly when the option is.
    private static KernelWitness Function(string name) => new(name, name);
}
