// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * What the egress program and user space have in common: maps, and the structures of their keys and values.
 * `data_plane/bpf/sys.rs` has the same structures and holds their sizes. Addresses, ports, labels and SPIs are in network
 * order, as in the packet.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* The kinds of key, in the order in which they are tried. A session has a destination, a protocol and mostly a port. */
enum kind {
	EXACT,           /* source, source port (RFC 2205 FF and SE) */
	LABEL,           /* source, IPv6 flow label (FILTER_SPEC of C-Type 3) */
	ANY_SOURCE_PORT, /* source, whose filter has port 0 */
	SPI,             /* source, security parameter index of ESP or AH (RFC 2207) */
	LABEL_PORTLESS,  /* source and flow label, of a session without ports */
	PORTLESS,        /* source, of a session without ports */
	WILDCARD,        /* whatever source (WF) */
	WILDCARD_PORTLESS,
};
#define BIT(kind) (1U << (kind))

/* Fields that a kind does not look at are zero. An IPv4 key is as long as its two addresses: 24 octets. */
struct key {
	__u32 interface;
	__u8 kind;
	__u8 protocol;
	__be16 port;
	__be16 source_port;
	__u16 zero;
	__be32 label; /* or the SPI */
	__be32 addresses[8]; /* destination, source: one word each in IPv4, four in IPv6 */
};
#define KEY_V4 24

/* What there is on an interface, so that what is not there is not looked for. */
struct interface {
	__u32 kinds_v4, kinds_v6; /* bits of kinds of key */
	__u32 link_header;        /* octets before the IP header: 14, or 0 where there is no Ethernet */
	__u32 by_dscp;            /* bits: whether classes[] says anything, and whether pcp[] does */
	__u32 by_hand;            /* bits: what the traffic control interface has here */
	__u32 policies;           /* bits: the profiles that it is of, with POLICIES; 0: there are no policies */
	__u32 classes[64];        /* class by DSCP; 0: none */
	__u8 pcp[64];             /* priority code point by DSCP; LEAVE: none */
};

/* In interface.by_dscp. */
#define BY_CLASS 1
#define BY_PRIORITY 2

/* In interface.by_hand: there are filters; there are rules. */
#define FILTERS 1
#define RULES 2

/* In interface.policies: there are policies, whatever profiles there are. */
#define POLICIES (1U << 31)
/* And there too: no hook says who makes sockets, so none is older than the hooks. */
#define UNHOOKED (1U << 30)

/*
 * Filters of the traffic control interface. A pattern belongs to a mask: what a mask does not look at is zero in it. The masks of
 * an interface are in the order in which they are tried, most specific first, and there is one look-up for each. A mask keeps its
 * number while others come and go, so that no pattern changes for that.
 */
#define MASKS 16

struct mask {
	__u8 number;
	__u8 family;      /* 4 or 6; 0: whichever, and then no addresses */
	__u8 protocol;    /* 0xff: it is looked at */
	__u8 zero;
	__be32 transport; /* of the four octets that struct transport begins with, or of the SPI */
	__be32 addresses[8]; /* as in struct key */
};

struct masks {
	__u32 count;
	struct mask of[MASKS];
};

struct pattern {
	__u32 interface;
	__u8 mask; /* its number */
	__u8 family;
	__u8 protocol;
	__u8 zero;
	__be32 transport;
	__be32 addresses[8];
};

/* By the DSCP with which forwarded packets come: the flow that they are of, and the marks with which they leave in its place. */
struct rule {
	__u32 flow; /* its number and one; 0: there is no rule */
	__u8 dscp[2], pcp[2];
};

struct rules {
	struct rule of[64];
};

/* A mark that is not set. */
#define LEAVE 0xff

/*
 * The major number of the classes that user space makes; those of its shards follow, whose own classes have minor numbers from
 * FIRST_SHARD on. `data_plane/tree.rs` and `tree/places.rs` have the same.
 */
#define CLASSES 0x7276
#define SHARDS 220
#define FIRST_SHARD 0x8000

enum mode { BORROW, DISCARD, SHAPE };

/* What a flow is held to. User space alone writes it; [0] is for what conforms, [1] for what does not. */
struct flow {
	__u64 rate, peak;   /* r and p, octets per second; a peak of 0 is none */
	__u32 bucket;       /* b, octets */
	__u32 max_packet;   /* M, octets; 0: any */
	__u32 min_policed;  /* m, octets */
	__u32 class[2];     /* 0: as it was */
	__u8 dscp[2], pcp[2];
	__u8 mode;
	__u8 live;          /* whether there is a flow */
	__u16 zero;
	__u32 zero2;
};

/*
 * Where a flow stands. Its keys may be many, on many CPUs: everything is done under the lock. What a packet that conforms changes is
 * in one line of the cache.
 */
struct state {
	struct bpf_spin_lock lock;
	__u32 zero;
	__s64 level, peak_level; /* of the buckets (r, b) and (p, M); below zero after a super-packet */
	__u64 last;              /* up to when the buckets are filled */
	__u64 packets, octets;   /* what conformed */
	__u64 excess_packets, excess_octets;
	__u64 dropped_packets, dropped_octets; /* of the excess */
	__u64 rest[6];           /* up to the next one's line */
};

/* The fragments of a packet have these in common. */
struct fragment {
	__be32 addresses[8];
	__be32 id;
	__u8 protocol; /* as the fragment's own header says */
	__u8 zero[3];
};

/* What of a packet's transport header its first fragment shows. */
struct transport {
	__be16 source_port, port; /* or, of ICMP, type and code, and zero */
	__be32 spi;
	__u8 protocol;
	__u8 has_ports, has_spi, has_type;
};

/*
 * Sizes of maps are what the loader says. Keys are allocated as they come. Nobody maps the arrays of flows and states into memory,
 * but an array that may be mapped begins with a page, and so its elements with lines of the cache.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__uint(key_size, KEY_V4);
	__uint(value_size, sizeof(__u32));
} keys_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(struct key));
	__uint(value_size, sizeof(__u32));
} keys_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct state);
} states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct interface);
} interfaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fragment);
	__type(value, struct transport);
} fragments SEC(".maps");

/* What the traffic control interface has: patterns with their flows, masks and rules by interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct pattern);
	__type(value, __u32);
} filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct masks);
} masks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct rules);
} rules SEC(".maps");
