// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * The programs at a cgroup that policies need: who makes a socket; what only the socket itself can be told. They change nothing
 * else, and refuse nothing. Sockets of other network namespaces are passed over.
 *
 * What a task runs is read from the kernel's own structures, wherever its version has their members (CO-RE).
 */
#pragma once

#include "policy.bpf.h"

#include <bpf/bpf_core_read.h>

#define PERMIT 1
#define LONGEST_NAME 256
#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL
#define SOL_SOCKET_ 1
#define SO_PRIORITY_ 12
#define IP_TOS_ 1
#define SOL_IPV6_ 41
#define IPV6_TCLASS_ 67
#define TCP_WINDOW_CLAMP_ 10
#define AF_INET6_ 10

#define OF_KERNEL __attribute__((preserve_access_index))

struct super_block { __u32 s_dev; } OF_KERNEL;
struct inode { unsigned long i_ino; struct super_block *i_sb; } OF_KERNEL;
struct qstr { const unsigned char *name; } OF_KERNEL;
struct dentry { struct qstr d_name; } OF_KERNEL;
struct path { struct dentry *dentry; } OF_KERNEL;
struct file { struct inode *f_inode; struct path f_path; } OF_KERNEL;
struct mm_struct { struct file *exe_file; } OF_KERNEL;
struct task_struct { struct mm_struct *mm; } OF_KERNEL;

/* FNV-1a; user space has the same. */
INLINE __u64 hashed(const char *name)
{
	__u64 hash = FNV_OFFSET;

	for (int i = 0; i < LONGEST_NAME && name[i]; i++)
		hash = (hash ^ (__u8)name[i]) * FNV_PRIME;
	return hash;
}

INLINE void read_program(struct socket_policy *socket)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	char name[LONGEST_NAME];

	if (!file)
		return;
	socket->inode = BPF_CORE_READ(file, f_inode, i_ino);
	socket->device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	if (bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name)) > 0)
		socket->name = hashed(name);
}

INLINE struct policy_settings *settings_of(__u64 namespace)
{
	__u32 zero = 0;
	struct policy_settings *settings = bpf_map_lookup_elem(&policy_settings, &zero);

	return settings && settings->namespace == namespace ? settings : NULL;
}

SEC("cgroup/sock_create")
int rsvp_made(struct bpf_sock *sk)
{
	struct socket_policy *socket;

	if (!settings_of(bpf_get_netns_cookie(sk)))
		return PERMIT;
	if (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP)
		return PERMIT;
	socket = bpf_sk_storage_get(&socket_policy, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return PERMIT;
	socket->user = bpf_get_current_uid_gid();
	socket->process = bpf_get_current_pid_tgid() >> 32;
	for (int level = 0; level < LEVELS; level++)
		socket->cgroups[level] = bpf_get_current_ancestor_cgroup_id(level + 1);
	read_program(socket);
	socket->known = 1;
	return PERMIT;
}

/* The DSCP of a policy, for what leaves in the socket's name when it is gone. Its priority stays what it was. */
INLINE void leave_mark(struct bpf_sock_ops *ops)
{
	struct socket_policy *socket;
	struct bpf_sock *sk = ops->sk;
	int class, priority = 0;

	if (!sk)
		return;
	socket = bpf_sk_storage_get(&socket_policy, sk, NULL, 0);
	if (!socket || !socket->judged || socket->grant.dscp == LEAVE)
		return;
	class = socket->grant.dscp << 2;
	if (ops->family == AF_INET6_) {
		bpf_setsockopt(ops, SOL_IPV6_, IPV6_TCLASS_, &class, sizeof(class));
		return;
	}
	bpf_getsockopt(ops, SOL_SOCKET_, SO_PRIORITY_, &priority, sizeof(priority));
	bpf_setsockopt(ops, IPPROTO_IP, IP_TOS_, &class, sizeof(class));
	bpf_setsockopt(ops, SOL_SOCKET_, SO_PRIORITY_, &priority, sizeof(priority));
}

INLINE void bound_window(struct bpf_sock_ops *ops, const struct policy_settings *settings)
{
	int clamp = settings->window_clamp;

	if (clamp)
		bpf_setsockopt(ops, IPPROTO_TCP, TCP_WINDOW_CLAMP_, &clamp, sizeof(clamp));
}

SEC("sockops")
int rsvp_follows(struct bpf_sock_ops *ops)
{
	struct policy_settings *settings = settings_of(bpf_get_netns_cookie(ops));

	if (!settings)
		return PERMIT;
	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		bound_window(ops, settings);
		bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		bound_window(ops, settings);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ops->args[1] == BPF_TCP_FIN_WAIT1)
			leave_mark(ops);
		break;
	}
	return PERMIT;
}
