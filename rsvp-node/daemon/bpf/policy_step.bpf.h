// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * Step 4 of the look-ups: what policies have for a packet of a socket. Part of flow.bpf.c, which reads packets.
 *
 * A packet of a handshake that is answered has no socket yet, and is of the one that listens. The last words of a connection that
 * its end has forgotten (TIME_WAIT) are of no socket: they have the DSCP that the hook gives the socket when it is closed.
 */
#pragma once

#include "policy.bpf.h"

/* What policies have for a packet. */
struct by_policy {
	struct grant grant;
	__u8 is_outer;  /* it is around a packet of the socket, which was counted and held up before */
	__u8 is_socket; /* it is TCP or UDP of a socket of this host */
	__u8 zero[2];
};

/* What is asked about a packet, and the answer. */
struct policy_query {
	__be32 local[4], remote[4]; /* one word each in IPv4 */
	__u32 profiles;
	__be16 local_port, remote_port;
	__u8 family, protocol;
	__u8 unhooked;
	__u8 zero;
	struct by_policy by;
};

INLINE struct bpf_sock *owner(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk, *full;

	if (!sk)
		return NULL;
	full = bpf_sk_fullsock(sk);
	return full ? full : bpf_get_listener_sock(sk);
}

INLINE void grant_of(const struct policy_rule *rule, struct grant *grant)
{
	if (!rule)
		return;
	grant->slot = rule->slot;
	grant->serial = rule->serial;
	grant->dscp = rule->dscp;
	grant->pcp = rule->pcp;
	grant->rated = !!(rule->says & SAYS_RATE);
}

/* The settings, as they were in one moment; none where there are none. */
INLINE struct policy_settings *read_settings(struct endpoint *asked, __u32 *count, __u32 *frames)
{
	__u32 zero = 0;
	struct policy_settings *settings = bpf_map_lookup_elem(&policy_settings, &zero);

	if (!settings)
		return NULL;
	bpf_spin_lock(&settings->lock);
	asked->base = settings->base;
	*count = settings->count;
	*frames = settings->frames;
	bpf_spin_unlock(&settings->lock);
	return settings;
}

/* Goes through the rules for a socket's packet. */
INLINE void choose(struct endpoint *asked, struct grant *grant)
{
	__u32 count = 0, frames = 0;

	if (!read_settings(asked, &count, &frames))
		return;
	bpf_loop(count, asks_rule, asked, 0);
	grant_of(asked->found, grant);
}

INLINE int is_older_than_hooks(const struct socket_policy *socket)
{
	__u32 zero = 0;
	struct policy_settings *settings = bpf_map_lookup_elem(&policy_settings, &zero);

	return !socket->known && settings && !(settings->flags & OLD_TOO);
}

/* What is known of a packet, where the rules can be asked about it. */
INLINE struct decision *describe(struct __sk_buff *skb, const struct socket_policy *socket, const struct policy_query *query)
{
	__u32 zero = 0;
	struct decision *at = bpf_map_lookup_elem(&deciding, &zero);

	if (!at)
		return NULL;
	__builtin_memset(at, 0, sizeof(*at));
	__builtin_memcpy(at->local, query->local, sizeof(at->local));
	__builtin_memcpy(at->remote, query->remote, sizeof(at->remote));
	at->local_port = bpf_ntohs(query->local_port);
	at->remote_port = bpf_ntohs(query->remote_port);
	at->family = query->family;
	at->protocol = query->protocol;
	at->profiles = query->profiles;
	at->interface = skb->ifindex;
	at->inode = socket->inode;
	at->name = socket->name;
	at->device = socket->device;
	at->user = socket->user;
	at->process = socket->process;
	at->known = socket->known;
	__builtin_memcpy(at->cgroups, socket->cgroups, sizeof(at->cgroups));
	at->at = bpf_ktime_get_ns();
	return at;
}

/* Asks the rules, and keeps with the socket and for who wants to know what they say. */
INLINE void decide(struct __sk_buff *skb, struct socket_policy *socket, struct policy_query *query)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct endpoint asked = { .socket = socket };
	struct grant grant = { .dscp = LEAVE, .pcp = LEAVE };
	struct decision *at;

	if (!socket->known && !socket->judged)
		socket->user = bpf_get_socket_uid(skb);
	at = describe(skb, socket, query);
	if (!at)
		return;
	asked.at = at;
	if (query->unhooked || !is_older_than_hooks(socket))
		choose(&asked, &grant);
	bpf_spin_lock(&socket->lock);
	socket->grant = grant;
	socket->peer[0] = query->remote[0];
	socket->peer[1] = query->remote[1];
	socket->peer[2] = query->remote[2];
	socket->peer[3] = query->remote[3];
	socket->peer_port = query->remote_port;
	socket->profiles = query->profiles;
	socket->judged = 1;
	bpf_spin_unlock(&socket->lock);
	query->by.grant = grant;
	at->serial = grant.serial;
	bpf_map_update_elem(&decisions, &cookie, at, BPF_ANY);
}

/*
 * What a socket's packets to this peer are given: as before, or as the rules say now. A function of its own, which the kernel
 * verifies by itself: with all else in one there are more ways through it than the kernel follows.
 */
__attribute__((noinline)) int rsvp_ask_policy(struct __sk_buff *skb, struct policy_query *query)
{
	struct socket_policy *socket;
	struct bpf_sock *sk;
	struct grant grant;
	int judged, is_same;

	if (!query)
		return 0;
	sk = owner(skb);
	if (!sk || (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP))
		return 0;
	/* A socket that is closed while its packet waits for the address of a neighbour has no port any more. */
	query->by.is_outer = query->protocol != sk->protocol ||
			     (sk->src_port && (__u32)bpf_ntohs(query->local_port) != sk->src_port);
	query->by.is_socket = !query->by.is_outer;
	socket = bpf_sk_storage_get(&socket_policy, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return 0;
	bpf_spin_lock(&socket->lock);
	grant = socket->grant;
	judged = socket->judged;
	is_same = socket->profiles == query->profiles && socket->peer_port == query->remote_port &&
		  socket->peer[0] == query->remote[0] && socket->peer[1] == query->remote[1] &&
		  socket->peer[2] == query->remote[2] && socket->peer[3] == query->remote[3];
	bpf_spin_unlock(&socket->lock);
	/* Of such a socket what is not for the peer that was judged is around a packet of it. */
	if (!sk->src_port && judged && !is_same) {
		query->by.is_outer = 1;
		query->by.is_socket = 0;
	}
	if (query->by.is_outer || (judged && is_same)) {
		if (judged)
			query->by.grant = grant;
		return 0;
	}
	decide(skb, socket, query);
	return 0;
}

INLINE void find_policy(struct __sk_buff *skb, __u32 profiles, const struct packet *packet, struct by_policy *by)
{
	struct policy_query query = {
		.profiles = profiles & ~UNHOOKED,
		.unhooked = !!(profiles & UNHOOKED),
		.local_port = packet->of.source_port,
		.remote_port = packet->of.port,
		.family = packet->v6 ? 6 : 4,
		.protocol = packet->of.protocol,
		.by = { .grant = { .dscp = LEAVE, .pcp = LEAVE } },
	};

	by->grant = query.by.grant;
	if (skb->ingress_ifindex)
		return;
	if (packet->v6) {
		__builtin_memcpy(query.local, packet->key.addresses + 4, 16);
		__builtin_memcpy(query.remote, packet->key.addresses, 16);
	} else {
		query.local[0] = packet->key.addresses[1];
		query.remote[0] = packet->key.addresses[0];
	}
	rsvp_ask_policy(skb, &query);
	*by = query.by;
}

/* Counts what a policy is for, and chooses its class. */
INLINE void charge(struct __sk_buff *skb, const struct grant *grant, const struct size *size, struct treatment *how)
{
	struct policy_place place = { .interface = skb->ifindex, .serial = grant->serial };
	struct policy_count *counted = bpf_map_lookup_elem(&policy_counts, &grant->slot);
	__u32 *class;

	if (counted && counted->serial == grant->serial) {
		__sync_fetch_and_add(&counted->packets, size->packets);
		__sync_fetch_and_add(&counted->octets, size->octets);
	}
	if (!grant->rated || how->class || how->is_rated)
		return;
	class = bpf_map_lookup_elem(&policy_classes, &place);
	if (class)
		how->class = *class;
}

/* What is not set yet is set by the policy; the class holds the packet to its rate where nothing before has one. */
INLINE void set_by_policy(struct __sk_buff *skb, const struct packet *packet, const struct by_policy *by, struct treatment *how)
{
	const struct grant *grant = &by->grant;
	struct policy_settings *settings;
	struct size size;
	__u32 zero = 0;

	settings = bpf_map_lookup_elem(&policy_settings, &zero);
	if (by->is_socket && settings) {
		/* What is marked here by no reservation is marked by a flow that a program has asked for. */
		if (how->dscp != LEAVE && settings->flags & OVERRIDE_FLOWS && !how->is_reserved)
			how->dscp = grant->dscp == LEAVE ? 0 : grant->dscp;
		if (how->dscp == LEAVE && settings->flags & OVERRIDE && grant->dscp == LEAVE)
			how->dscp = 0;
	}
	if (!grant->serial)
		return;
	if (how->dscp == LEAVE)
		how->dscp = grant->dscp;
	if (how->pcp == LEAVE)
		how->pcp = grant->pcp;
	if (by->is_outer)
		return;
	measure(skb, packet, &size);
	charge(skb, grant, &size, how);
}

/* A frame without IP: of the first policy for such frames; their type alone tells them apart, so no others are asked before. */
INLINE void set_by_frames(struct __sk_buff *skb, const struct interface *here, const struct packet *packet, struct treatment *how)
{
	struct endpoint asked = { .profiles = here->policies };
	struct grant grant = { .dscp = LEAVE, .pcp = LEAVE };
	struct size size = { .packets = 1, .octets = skb->len - here->link_header };
	__u32 count = 0, frames = 0;

	if (packet->protocol != bpf_htons(TYPE_FCOE) && packet->protocol != bpf_htons(TYPE_FIP))
		return;
	if (skb->ingress_ifindex || !read_settings(&asked, &count, &frames) || !frames || frames > count)
		return;
	asked.base += frames - 1;
	bpf_loop(count - frames + 1, asks_rule_of_frames, &asked, 0);
	grant_of(asked.found, &grant);
	if (!grant.serial)
		return;
	how->pcp = grant.pcp;
	charge(skb, &grant, &size, how);
}

/* Whom a packet is for, where that is plain to see: no options, extension headers or fragments. The protocol; 0 where it is not. */
INLINE __u32 plain_peer(struct __sk_buff *skb, __u32 at, __be32 peer[4], __be16 *port)
{
	const __u8 *end = (const __u8 *)(long)skb->data_end, *ip = (const __u8 *)(long)skb->data;

	if (at > ETHERNET)
		return 0;
	ip += at;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (ip + 24 > end || ip[0] != 0x45 || *(const __be16 *)(ip + 6) & bpf_htons(0x3fff))
			return 0;
		peer[0] = *(const __be32 *)(ip + 16);
		*port = *(const __be16 *)(ip + 22);
		return ip[9];
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6) || ip + 44 > end || ip[0] >> 4 != 6)
		return 0;
	for (int word = 0; word < 4; word++)
		peer[word] = *(const __be32 *)(ip + 24 + 4 * word);
	*port = *(const __be16 *)(ip + 42);
	return ip[6];
}

/*
 * Whether nothing is to become of a packet: of a socket for which there is no policy, to the peer for which the rules were asked, where
 * an interface has nothing but policies. Most packets of a host are such, and this is all that they pay. What is not plain to
 * see goes the long way, which finds the same.
 */
INLINE int is_left_alone(struct __sk_buff *skb, const struct interface *here)
{
	struct policy_settings *settings;
	struct socket_policy *socket;
	struct bpf_sock *sk = skb->sk;
	__be32 peer[4] = {};
	__be16 port = 0;
	__u32 protocol, zero = 0;
	int is_alone;

	if (here->kinds_v4 | here->kinds_v6 | here->by_hand | here->by_dscp || skb->ingress_ifindex || !sk)
		return 0;
	/* It may be the class of another interface, which is none here. */
	if (skb->priority >> 16)
		return 0;
	sk = bpf_sk_fullsock(sk);
	settings = bpf_map_lookup_elem(&policy_settings, &zero);
	if (!sk || !settings || settings->flags & OVERRIDE)
		return 0;
	protocol = plain_peer(skb, here->link_header, peer, &port);
	if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || protocol != sk->protocol)
		return 0;
	socket = bpf_sk_storage_get(&socket_policy, sk, NULL, 0);
	if (!socket)
		return 0;
	bpf_spin_lock(&socket->lock);
	is_alone = socket->judged && !socket->grant.serial && socket->profiles == (here->policies & ~UNHOOKED) &&
		   socket->peer_port == port && socket->peer[0] == peer[0] && socket->peer[1] == peer[1] &&
		   socket->peer[2] == peer[2] && socket->peer[3] == peer[3];
	bpf_spin_unlock(&socket->lock);
	return is_alone;
}
