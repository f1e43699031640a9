// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * What the programs at a cgroup and user space have in common: maps, and the structures of their values. `hooks/news.rs` reads the
 * same. Addresses and ports are in network order, as in a socket's name.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Sockets that are watched at a time; `hooks/programs.rs` has the same. */
#define MOST_WATCHED 8192
/* Octets of the ring. What is released takes 40 of them: for all that are watched there is room in the half that is kept for it. */
#define RING (1 << 20)

/*
 * What is known of a socket, stored with it and gone with it. The daemon writes it by the socket's descriptor. More that belongs to
 * a socket goes behind what is there: the size of the value is the object's own.
 */
struct socket {
	/* The socket's own cookie once it was handed over. One that was inherited is another's, and says nothing. */
	__u64 watched;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket);
} sockets SEC(".maps");

/* The cookies of sockets that somebody still wants to know of; a socket that was released takes its own out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MOST_WATCHED);
	__type(key, __u64);
	__type(value, __u32);
} watched SEC(".maps");

enum kind {
	RELEASED = 1, /* its last descriptor is closed */
	CONNECTS = 2, /* it is about to be connected to this peer, unless something refuses that */
};

/* What user space is told. Kinds that come later are passed over by who does not know them. */
struct news {
	__u64 cookie;
	__u16 kind;
	__u16 family;
	__be16 port;
	__u16 protocol;
	__be32 address[4]; /* one word in IPv4 */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING);
} ring SEC(".maps");

/* By kind, how often there was no room to tell. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} untold SEC(".maps");
