// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * Step 3 of the egress program's look-ups: flows that applications have given their sockets. `data_plane/bpf/sockets.rs` has the
 * other side.
 *
 * A socket that was handed over has a place in its storage; whether it has a flow is said by its cookie and the peer of the packet, so
 * that a flow can be taken away from it without a descriptor. What was not handed over costs one look at its storage, and that only
 * on an interface where a socket has a flow.
 */
#pragma once

#include "flow.h"

/* In interface.by_hand: sockets have flows here. */
#define SOCKETS 4

/* Stored with a socket, and gone with it; no socket that is accepted inherits it. */
struct socket_flow {
	__u64 cookie;
};

/* A socket, and the peer of its packets: of IPv4 as an address that is mapped into IPv6. */
struct socket_peer {
	__u64 cookie;
	__be32 address[4];
	__u32 interface;
	__be16 port;
	__u16 zero;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_flow);
} socket_flow SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct socket_peer);
	__type(value, __u32);
} socket_peers SEC(".maps");

/* The cookie of a packet's socket, if it was handed over. What has no whole socket (SYN-ACK, TIME_WAIT) has none. */
static __always_inline __u64 handed_over(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct socket_flow *stored;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 0;
	stored = bpf_sk_storage_get(&socket_flow, sk, 0, 0);
	return stored ? stored->cookie : 0;
}

/* The flow that the socket of a packet has for the packet's peer: its number and one, or 0. The IP header is behind so many octets. */
static __always_inline __u32 find_socket_flow(struct __sk_buff *skb, __u64 cookie, __u32 link, __u32 v6, __be16 port)
{
	struct socket_peer peer = { .cookie = cookie, .interface = skb->ifindex, .port = port };
	__u32 *found;

	if (v6) {
		if (bpf_skb_load_bytes(skb, link + 24, peer.address, 16))
			return 0;
	} else {
		peer.address[2] = bpf_htonl(0xffff);
		if (bpf_skb_load_bytes(skb, link + 16, &peer.address[3], 4))
			return 0;
	}
	found = bpf_map_lookup_elem(&socket_peers, &peer);
	return found ? *found + 1 : 0;
}
