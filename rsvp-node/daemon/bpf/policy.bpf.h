// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * Policies: marks and rates for programs that do not ask for any, decided once for each endpoint (step 4 of the look-ups of
 * flow.bpf.c).
 *
 * A hook at a cgroup records who makes a socket; the first packet of the socket to a peer has the rules gone through, strongest
 * first, and what comes of it is kept with the socket. At that packet everything is known that a rule may ask for: the source
 * address that routing has chosen, the port, the interface. What a socket has been given stays, whatever becomes of the rules.
 *
 * `data_plane/bpf/policy.rs` has the same structures. Going through rules takes Linux 5.17 (bpf_loop); an older kernel
 * runs the programs without this step.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Rules there is room for. There are twice as many places: one half is in use, the other is written. */
#define MOST_RULES 10240
/* Levels of cgroups, from the one below the root, that a socket remembers of its maker. */
#define LEVELS 8

/* Bits of policy_rule.says. */
#define SAYS_PATH 1 /* `program` is an inode of `device` */
#define SAYS_NAME 2 /* `program` is the hash of a name */
#define SAYS_CGROUP 4
#define SAYS_USER 8
#define SAYS_RATE 16 /* there are classes for it */

/* A policy: what it is for, and what becomes of that. Addresses and prefixes are in network order, ports are not. */
struct policy_rule {
	__be32 local[4], remote[4];
	__u64 program;
	__u64 cgroup;
	__u32 device;
	__u32 user;
	__u32 profiles; /* bits, one of which the interface has to have; 0: any interface */
	__u32 slot;     /* its place among the counters */
	__u32 serial;   /* never given twice; 0: none */
	__u16 local_port[2], remote_port[2], either_port[2]; /* first and last; 0: any */
	__u8 local_bits, remote_bits;
	__u8 family;   /* 4, 6; 0: whichever */
	__u8 protocol; /* 0: TCP and UDP */
	__u8 says;
	__u8 level; /* of its cgroup, 0 for the one below the root */
	__u8 dscp, pcp;
};

struct policy_settings {
	struct bpf_spin_lock lock;
	__u32 flags;
	__u32 base, count;  /* the half that is in use, and how many there are in it */
	__u64 namespace;    /* the cookie of the network namespace */
	__u32 window_clamp; /* octets; 0: none */
	__u32 frames;       /* the first rule for frames without IP, its place and one; 0: there is none */
};

/* The protocol of a rule for frames without IP (FCoE), and their types. */
#define FRAMES 0xff
#define TYPE_FCOE 0x8906
#define TYPE_FIP 0x8914

/* Bits of policy_settings.flags. */
#define OVERRIDE 1       /* what a socket marks itself is marked no longer */
#define OLD_TOO 2        /* sockets that are older than the hooks are given policies, too */
#define OVERRIDE_FLOWS 4 /* nor is what flows mark that programs have asked for */

/* What the rules gave. */
struct grant {
	__u32 slot, serial;
	__u8 dscp, pcp;
	__u8 rated;
	__u8 zero;
};

/* Kept with a socket, and with those that are accepted from it. */
struct socket_policy {
	struct bpf_spin_lock lock;
	__u32 process;
	/* Who made it. */
	__u64 inode;
	__u64 name; /* the hash of the name of the file */
	__u64 cgroups[LEVELS];
	__u32 device;
	__u32 user;
	/* What it was given for packets to a peer, by interfaces with such profiles. */
	struct grant grant;
	__be32 peer[4];
	__u32 profiles;
	__be16 peer_port;
	__u8 judged;
	__u8 known; /* whether it is known who made it */
};

/* What was decided for a socket last, for who asks. */
struct decision {
	__be32 local[4], remote[4];
	__u64 inode, name, cgroups[LEVELS];
	__u64 at; /* nanoseconds since the start of the machine */
	__u32 device, user, process;
	__u32 profiles;
	__u32 interface;
	__u32 serial; /* of the policy; 0: none */
	__u16 local_port, remote_port;
	__u8 family, protocol;
	__u8 known;
	__u8 zero;
};

struct policy_count {
	__u64 identity; /* user space's */
	__u32 serial, zero;
	__u64 packets, octets;
};

struct policy_place {
	__u32 interface;
	__u32 serial;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_policy);
} socket_policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * MOST_RULES);
	__type(key, __u32);
	__type(value, struct policy_rule);
} policy_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct policy_settings);
} policy_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MOST_RULES);
	__type(key, __u32);
	__type(value, struct policy_count);
} policy_counts SEC(".maps");

/* The classes of policies with a rate, by interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct policy_place);
	__type(value, __u32);
} policy_classes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct decision);
} decisions SEC(".maps");

/* Room to work in: too much for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct decision);
} deciding SEC(".maps");

/* The egress program with this step, where an interface has policies and the kernel can run it. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} policy_step SEC(".maps");

/* What the rules are asked about. */
struct endpoint {
	const struct socket_policy *socket;
	const struct decision *at;
	const struct policy_rule *found;
	__u32 base;
	__u32 profiles; /* where there is no decision to look at */
};

static __always_inline int within(const __be32 *address, const __be32 *prefix, __u32 bits)
{
	for (int word = 0; word < 4; word++) {
		__u32 here = bits >= 32 ? 32 : bits;
		__u32 mask = here ? ~0U << (32 - here) : 0;

		if ((bpf_ntohl(address[word]) ^ bpf_ntohl(prefix[word])) & mask)
			return 0;
		bits -= here;
	}
	return 1;
}

static __always_inline int among(__u16 port, const __u16 *ports)
{
	return ports[0] <= port && port <= ports[1];
}

static __always_inline int made_by(const struct socket_policy *socket, const struct policy_rule *rule)
{
	if (rule->says & SAYS_USER && rule->user != socket->user)
		return 0;
	if (!(rule->says & (SAYS_PATH | SAYS_NAME | SAYS_CGROUP)))
		return 1;
	if (!socket->known)
		return 0;
	if (rule->says & SAYS_PATH && (rule->program != socket->inode || rule->device != socket->device))
		return 0;
	if (rule->says & SAYS_NAME && rule->program != socket->name)
		return 0;
	return !(rule->says & SAYS_CGROUP) || rule->cgroup == socket->cgroups[rule->level & (LEVELS - 1)];
}

/* Whether a rule is for frames without IP; the same kind of callback as below. Of such frames there are no sockets that would be asked. */
static long asks_rule_of_frames(__u32 index, struct endpoint *asked)
{
	__u32 place = asked->base + index;
	const struct policy_rule *rule = bpf_map_lookup_elem(&policy_rules, &place);

	if (!rule)
		return 1;
	if (rule->protocol != FRAMES || (rule->profiles && !(rule->profiles & asked->profiles)))
		return 0;
	asked->found = rule;
	return 1;
}

/* Whether a rule is for an endpoint; a callback of bpf_loop: 1 ends it. */
static long asks_rule(__u32 index, struct endpoint *asked)
{
	__u32 place = asked->base + index;
	const struct policy_rule *rule = bpf_map_lookup_elem(&policy_rules, &place);
	const struct decision *at = asked->at;

	if (!rule)
		return 1;
	if ((rule->protocol && rule->protocol != at->protocol) || (rule->family && rule->family != at->family))
		return 0;
	if (rule->local_port[1] && !among(at->local_port, rule->local_port))
		return 0;
	if (rule->remote_port[1] && !among(at->remote_port, rule->remote_port))
		return 0;
	if (rule->either_port[1] && !among(at->local_port, rule->either_port) &&
	    !among(at->remote_port, rule->either_port))
		return 0;
	if (rule->profiles && !(rule->profiles & at->profiles))
		return 0;
	if (rule->says && !made_by(asked->socket, rule))
		return 0;
	if (!within(at->local, rule->local, rule->local_bits) || !within(at->remote, rule->remote, rule->remote_bits))
		return 0;
	asked->found = rule;
	return 1;
}
