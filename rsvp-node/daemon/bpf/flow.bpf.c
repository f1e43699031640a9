// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/*
 * The egress program of an interface: finds the flow of a packet, holds it to its token buckets, marks it, chooses its
 * class or drops it, and counts. Whatever belongs to no flow leaves as it came.
 *
 * What user space says and reads is in maps (flow.h).
 *
 * What a task runs is told only to programs under a licence of the kernel's list, which the hook of policies asks. So this file, and the
 * files of this folder that it includes, may be used under GPL-2.0 as well; the rest of the repository is under MIT or Apache-2.0 alone.
 *
 * It is built by build.sh, and runs from Linux 5.8 on: bounded loops, spin locks in maps. Step 4 and what goes with it are programs of
 * their own, which run from Linux 5.17 on.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "flow.h"
#include "socket_flow.bpf.h"

#define INLINE static __always_inline
/* The same number as TC_ACT_UNSPEC: by tcx the next program runs, by clsact the next filter. */
#define NEXT (-1)
#define DROP 2
/* Levels of buckets are in billionths of an octet: a rate in octets per second times nanoseconds, without a remainder. */
#define NANO 1000000000ULL
/* Below it, times any rate that is taken (less than 2^34 octets per second), nothing overflows. */
#define SHORT_TIME (1ULL << 30)
#define ETHERNET 14
#define MAX_EXTENSION_HEADERS 8
/* What netinet/in.h would give. */
#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_ESP 50
#define PROTOCOL_AH 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_DESTINATION 60
#define PROTOCOL_MOBILITY 135

/* Neighbour and router discovery (RFC 4861): types 133 to 137. */
#define FIRST_DISCOVERY 133
#define LAST_DISCOVERY 137
/* The class of the network's own traffic is the one of this DSCP, CS6. */
#define NETWORK_CONTROL 48

/* Kinds of key that say nothing of a packet without ports, or without a flow label. */
#define WITH_PORTS (BIT(EXACT) | BIT(LABEL) | BIT(ANY_SOURCE_PORT) | BIT(WILDCARD))
#define WITH_LABEL (BIT(LABEL) | BIT(LABEL_PORTLESS))

/* What is read of a packet. */
struct packet {
	__be16 protocol;     /* behind VLAN tags */
	__u32 tag;           /* where an in-line VLAN tag's TCI is; 0: there is none */
	__u32 network;       /* where the IP header is */
	__u32 transport;     /* where the transport header would be */
	__u32 v6;
	__u32 first, later;  /* whether it is a fragment: one with a transport header, one without */
	__be16 start;        /* the first two octets of the IP header */
	__u8 traffic_class;
	struct transport of;
	struct fragment fragment;
	struct key key;
};

/*
 * Where it is read to. On the stack the kernel's verifier would know each value that it can have, and follow each combination of them
 * through all that comes after: hundreds of thousands of instructions in place of some ten thousand.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct packet);
} reading SEC(".maps");

/*
 * Where the IP header begins: behind the link header and up to two VLAN tags. Tags that the device or the kernel will
 * put in later are beside the packet and move nothing.
 */
INLINE int locate(struct __sk_buff *skb, const struct interface *here, struct packet *packet)
{
	__be16 protocol = skb->protocol;
	__u32 at = here->link_header;
	__be16 tag[2];

	for (int i = 0; i < 2 && at >= ETHERNET; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (bpf_skb_load_bytes(skb, at, tag, sizeof(tag)))
			return 0;
		if (!packet->tag)
			packet->tag = at;
		protocol = tag[1];
		at += sizeof(tag);
	}
	packet->network = at;
	packet->protocol = protocol;
	packet->v6 = protocol == bpf_htons(ETH_P_IPV6);
	return packet->v6 || protocol == bpf_htons(ETH_P_IP);
}

INLINE int read_v4(struct __sk_buff *skb, struct packet *packet)
{
	struct {
		__u8 version, tos;
		__be16 length, id, fragment;
		__u8 ttl, protocol;
		__be16 checksum;
		__be32 source, destination;
	} header;

	if (bpf_skb_load_bytes(skb, packet->network, &header, sizeof(header)))
		return 0;
	if (header.version >> 4 != 4 || (header.version & 15) < 5)
		return 0;
	packet->start = bpf_htons(header.version << 8 | header.tos);
	packet->traffic_class = header.tos;
	packet->transport = packet->network + (header.version & 15) * 4;
	packet->of.protocol = packet->fragment.protocol = header.protocol;
	packet->key.addresses[0] = packet->fragment.addresses[0] = header.destination;
	packet->key.addresses[1] = packet->fragment.addresses[1] = header.source;
	packet->fragment.id = header.id;
	packet->later = (header.fragment & bpf_htons(0x1fff)) != 0;
	packet->first = !packet->later && (header.fragment & bpf_htons(0x2000));
	return 1;
}

/* Headers that all begin with the next one's number, and the length of this one in units of eight octets after eight. */
INLINE int is_extension(__u8 protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
	       protocol == PROTOCOL_DESTINATION || protocol == PROTOCOL_MOBILITY;
}

INLINE int read_v6(struct __sk_buff *skb, struct packet *packet)
{
	struct {
		__be32 start;
		__be16 length;
		__u8 protocol, hops;
		__be32 source[4], destination[4];
	} header;
	struct {
		__u8 next, length;
		__be16 fragment;
		__be32 id;
	} extension;
	__u8 protocol;
	__u32 at = packet->network + sizeof(header);

	if (bpf_skb_load_bytes(skb, packet->network, &header, sizeof(header)))
		return 0;
	if (bpf_ntohl(header.start) >> 28 != 6)
		return 0;
	packet->start = bpf_htons(bpf_ntohl(header.start) >> 16);
	packet->traffic_class = bpf_ntohl(header.start) >> 20;
	packet->key.label = header.start & bpf_htonl(0xfffff);
	__builtin_memcpy(packet->key.addresses, header.destination, 16);
	__builtin_memcpy(packet->key.addresses + 4, header.source, 16);
	protocol = header.protocol;
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		int fragment = protocol == PROTOCOL_FRAGMENT;

		if (!fragment && !is_extension(protocol))
			break;
		if (bpf_skb_load_bytes(skb, at, &extension, sizeof(extension)))
			break;
		protocol = extension.next;
		at += fragment ? 8 : (extension.length + 1) * 8;
		if (!fragment)
			continue;
		__builtin_memcpy(packet->fragment.addresses, packet->key.addresses, 32);
		packet->fragment.id = extension.id;
		packet->fragment.protocol = protocol;
		packet->later = (extension.fragment & bpf_htons(0xfff8)) != 0;
		packet->first = !packet->later && (extension.fragment & bpf_htons(1));
		if (packet->later)
			break;
	}
	packet->of.protocol = protocol;
	packet->transport = at;
	return 1;
}

/* Ports or SPI: of the transport header, or as the packet's first fragment showed them. */
INLINE void read_transport(struct __sk_buff *skb, struct packet *packet)
{
	struct transport *of = &packet->of;
	__be32 words[2];

	if (packet->later) {
		struct transport *shown = bpf_map_lookup_elem(&fragments, &packet->fragment);

		if (shown)
			*of = *shown;
		return;
	}
	of->has_ports = of->protocol == IPPROTO_UDP || of->protocol == IPPROTO_TCP || of->protocol == IPPROTO_SCTP ||
			of->protocol == IPPROTO_DCCP || of->protocol == IPPROTO_UDPLITE;
	of->has_spi = of->protocol == PROTOCOL_ESP || of->protocol == PROTOCOL_AH;
	of->has_type = of->protocol == (packet->v6 ? PROTOCOL_ICMPV6 : IPPROTO_ICMP);
	if (!of->has_ports && !of->has_spi && !of->has_type && !packet->first)
		return;
	if (bpf_skb_load_bytes(skb, packet->transport, words, sizeof(words))) {
		of->has_ports = of->has_spi = of->has_type = 0;
		return;
	}
	if (of->has_type) /* the first two octets, whatever the machine's order */
		__builtin_memcpy(&of->source_port, words, sizeof(of->source_port));
	if (of->has_ports) {
		of->source_port = (__be16)words[0];
		of->port = (__be16)(words[0] >> 16);
		if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
			of->source_port = (__be16)(words[0] >> 16);
			of->port = (__be16)words[0];
		}
	}
	if (of->has_spi) /* ESP begins with it, AH has it in its second word */
		of->spi = of->protocol == PROTOCOL_ESP ? words[0] : words[1];
	if (packet->first)
		bpf_map_update_elem(&fragments, &packet->fragment, of, BPF_ANY);
}

/* The session's flow: the most specific key that there is. `v6` is known when this is compiled. */
INLINE __u32 *find_session(void *keys, const int v6, __u32 kinds, struct packet *packet)
{
	struct key *key = &packet->key;
	const struct transport *of = &packet->of;
	__be32 label = key->label;
	__u32 *found;

	if (!of->has_ports)
		kinds &= ~WITH_PORTS;
	if (!of->has_spi)
		kinds &= ~BIT(SPI);
	if (!label)
		kinds &= ~WITH_LABEL;
	key->protocol = of->protocol;

#define LOOK(KIND, PORT, SOURCE_PORT, LABEL_OR_SPI)                  \
	if (kinds & BIT(KIND)) {                                     \
		key->kind = KIND;                                    \
		key->port = PORT;                                    \
		key->source_port = SOURCE_PORT;                      \
		key->label = LABEL_OR_SPI;                           \
		found = bpf_map_lookup_elem(keys, key);              \
		if (found)                                           \
			return found;                                \
	}
	LOOK(EXACT, of->port, of->source_port, 0)
	if (v6)
		LOOK(LABEL, of->port, 0, label)
	LOOK(ANY_SOURCE_PORT, of->port, 0, 0)
	LOOK(SPI, 0, 0, of->spi)
	if (v6)
		LOOK(LABEL_PORTLESS, 0, 0, label)
	LOOK(PORTLESS, 0, 0, 0)
	if (!(kinds & (BIT(WILDCARD) | BIT(WILDCARD_PORTLESS))))
		return NULL;
	if (v6)
		__builtin_memset(key->addresses + 4, 0, 16);
	else
		key->addresses[1] = 0;
	LOOK(WILDCARD, of->port, 0, 0)
	LOOK(WILDCARD_PORTLESS, 0, 0, 0)
#undef LOOK
	return NULL;
}

/* The flow of the most specific filter of the traffic control interface: one look-up for each mask that there is. */
INLINE __u32 *find_filter(const struct packet *packet, __u32 interface)
{
	const struct masks *all = bpf_map_lookup_elem(&masks, &interface);
	const struct transport *of = &packet->of;
	__be32 transport = of->spi;
	struct pattern pattern;
	__u32 *found;

	if (!all)
		return NULL;
	if (!of->has_spi)
		__builtin_memcpy(&transport, &of->source_port, sizeof(transport));
	for (__u32 i = 0; i < MASKS; i++) {
		const struct mask *mask = &all->of[i];

		if (i >= all->count)
			break;
		if (mask->family && mask->family != (packet->v6 ? 6 : 4))
			continue;
		if (mask->transport && !of->has_ports && !of->has_spi && !of->has_type)
			continue;
		pattern.interface = interface;
		pattern.mask = mask->number;
		pattern.family = mask->family;
		pattern.protocol = of->protocol & mask->protocol;
		pattern.zero = 0;
		pattern.transport = transport & mask->transport;
		for (int word = 0; word < 8; word++)
			pattern.addresses[word] = packet->key.addresses[word] & mask->addresses[word];
		found = bpf_map_lookup_elem(&filters, &pattern);
		if (found)
			return found;
	}
	return NULL;
}

/* The rule for a packet that is forwarded, by the DSCP with which it came. What begins on this node has not come by an interface. */
INLINE const struct rule *find_rule(const struct __sk_buff *skb, const struct packet *packet, __u32 interface)
{
	const struct rules *all;

	if (!skb->ingress_ifindex)
		return NULL;
	all = bpf_map_lookup_elem(&rules, &interface);
	if (!all || !all->of[packet->traffic_class >> 2 & 63].flow)
		return NULL;
	return &all->of[packet->traffic_class >> 2 & 63];
}

/* How a packet leaves. */
struct treatment {
	__u32 class;
	__u8 dscp, pcp;
	__u8 is_rated;    /* a flow has a rate for it */
	__u8 is_reserved; /* it is of a session */
};

/* What is charged for a packet, in octets from the IP header on, of all that it is cut into. */
struct size {
	__u32 packets;
	__u32 first; /* the first of them */
	__u32 octets;
};

INLINE void measure_behind(struct __sk_buff *skb, __u32 link, struct size *size)
{
	__u32 length = skb->len, wire = skb->wire_len;

	size->packets = 1;
	size->octets = size->first = length - link;
	if (skb->gso_size && skb->gso_segs > 1 && wire > length) {
		/* The kernel has added the headers of the second and of all later ones. */
		__u32 headers = (wire - length) / (skb->gso_segs - 1);

		size->packets = skb->gso_segs;
		size->octets = wire - size->packets * link;
		size->first = headers - link + skb->gso_size;
	}
}

INLINE void measure(struct __sk_buff *skb, const struct packet *packet, struct size *size)
{
	measure_behind(skb, packet->network, size);
}

#include "policy_step.bpf.h"

/* What the look-ups have found. */
struct found {
	__u32 first, second;     /* numbers of flows and one; 0: none */
	const struct rule *rule; /* by which the second was found */
	struct by_policy policy;
};

/*
 * The look-ups in their order. DSCP, rate and class each come from the first flow that sets them: so a packet can be of two, one of
 * a reservation and one of what comes after that.
 */
INLINE void find(struct __sk_buff *skb, const struct interface *here, const int with_policies, struct packet *packet, struct found *by)
{
	__u32 kinds = packet->v6 ? here->kinds_v6 : here->kinds_v4, by_hand = here->by_hand, interface = skb->ifindex;
	__u32 *found;

	if (kinds || by_hand || with_policies)
		read_transport(skb, packet);
	/* 4: the place of what a policy has given the socket. Before step 1, which wipes addresses. */
	if (with_policies)
		find_policy(skb, here->policies, packet, &by->policy);
	/* 2: filters of the traffic control interface, and after them its rules. Before step 1, which wipes addresses. */
	if (by_hand & FILTERS) {
		found = find_filter(packet, interface);
		if (found)
			by->second = *found + 1;
	}
	if (by_hand & RULES && !by->second) {
		by->rule = find_rule(skb, packet, interface);
		if (by->rule)
			by->second = by->rule->flow;
	}
	/* 1: reserved sessions and their senders. */
	if (kinds) {
		packet->key.interface = interface;
		found = packet->v6 ? find_session(&keys_v6, 1, kinds, packet) : find_session(&keys_v4, 0, kinds, packet);
		if (found)
			by->first = *found + 1;
	}
	/* 3: the flow that an application has given its socket: of_socket(), where these have judged the packet. */
}

/* What a bucket holds after some time, in billionths of an octet: exactly, and never more than its depth. */
INLINE __s64 filled(__s64 level, __u64 rate, __u32 octets, __u64 elapsed)
{
	__s64 depth = (__s64)(octets * NANO);
	__u64 missing;

	if (level >= depth)
		return depth;
	missing = (__u64)(depth - level);
	/* Divided only where the product might overflow: after more than a second without a packet. */
	if (elapsed >= SHORT_TIME && elapsed > missing / rate)
		return depth;
	if (elapsed * rate >= missing)
		return depth;
	return level + (__s64)(elapsed * rate);
}

#define READ_ONCE(place) ((void)*(const volatile __typeof__(place) *)&(place))

enum verdict { CONFORMS, EXCESS, DROPPED };

/*
 * Whether a packet conforms; counts and charges it. A super-packet conforms if the first packet of it does, and is charged
 * whole: a TCP whose super-packets are larger than the bucket would never get through.
 */
INLINE enum verdict police(const struct flow *flow, struct state *state, const struct size *size)
{
	__u64 least = flow->min_policed, rate = flow->rate, peak = flow->peak, now = 0;
	__s64 first = size->first > least ? size->first : least;
	__s64 whole = size->octets > least * size->packets ? size->octets : least * size->packets;
	__u32 bucket = flow->bucket, max_packet = flow->max_packet;
	int mode = flow->mode, good = 1;

	first *= NANO;
	whole *= NANO;
	/*
	 * Reading the clock waits for what was read before it: so both lines of the cache are on their way at once. What a class shapes has
	 * no bucket here, and nothing to read the clock for.
	 */
	if (mode != SHAPE) {
		READ_ONCE(state->last);
		READ_ONCE(state->octets);
		now = bpf_ktime_get_ns();
	}
	bpf_spin_lock(&state->lock);
	if (mode != SHAPE) {
		/* Another CPU may have read the clock later and come here earlier. */
		__u64 elapsed = now > state->last ? now - state->last : 0;
		__s64 level = filled(state->level, rate, bucket, elapsed), peak_level = state->peak_level;

		state->last += elapsed;
		good = level >= first && (!max_packet || size->first <= max_packet);
		if (peak) {
			peak_level = filled(peak_level, peak, max_packet, elapsed);
			good = good && peak_level >= first;
		}
		state->level = good ? level - whole : level;
		state->peak_level = good && peak ? peak_level - whole : peak_level;
	}
	if (good) {
		state->packets += size->packets;
		state->octets += size->octets;
	} else {
		state->excess_packets += size->packets;
		state->excess_octets += size->octets;
		if (mode == DISCARD) {
			state->dropped_packets += size->packets;
			state->dropped_octets += size->octets;
		}
	}
	bpf_spin_unlock(&state->lock);
	return good ? CONFORMS : mode == DISCARD ? DROPPED : EXCESS;
}

/* Counts a packet of a flow that another has judged. */
INLINE void count(struct state *state, const struct size *size, enum verdict verdict)
{
	bpf_spin_lock(&state->lock);
	if (verdict == CONFORMS) {
		state->packets += size->packets;
		state->octets += size->octets;
	} else {
		state->excess_packets += size->packets;
		state->excess_octets += size->octets;
	}
	bpf_spin_unlock(&state->lock);
}

/* What is not set yet is set by this flow; its marks may be those of a rule. */
INLINE void set(struct treatment *how, const struct flow *flow, const struct rule *rule, enum verdict verdict)
{
	const __u8 *dscp = rule ? rule->dscp : flow->dscp, *pcp = rule ? rule->pcp : flow->pcp;
	int excess = verdict != CONFORMS;

	if (how->dscp == LEAVE)
		how->dscp = excess ? dscp[1] : dscp[0];
	if (how->pcp == LEAVE)
		how->pcp = excess ? pcp[1] : pcp[0];
	if (!how->class)
		how->class = excess ? flow->class[1] : flow->class[0];
	how->is_rated |= flow->rate != 0;
}

/* A flow that is live, and its state. */
INLINE const struct flow *live(__u32 number, struct state **state)
{
	const struct flow *flow;

	if (!number--)
		return NULL;
	flow = bpf_map_lookup_elem(&flows, &number);
	*state = bpf_map_lookup_elem(&states, &number);
	return flow && *state && flow->live ? flow : NULL;
}

/* Judges a packet by the flows that it is of; false if it is to be dropped. */
INLINE int judge(struct __sk_buff *skb, const struct packet *packet, const struct found *by, struct treatment *how)
{
	struct state *first_state = NULL, *second_state = NULL;
	const struct flow *first = live(by->first, &first_state), *second = live(by->second, &second_state);
	struct size size;
	enum verdict verdict;

	if (!first && !second)
		return 1;
	measure(skb, packet, &size);
	/* The rate is that of the first which has one; the other counts what became of the packet. */
	if (second && (!first || (!first->rate && second->rate))) {
		verdict = police(second, second_state, &size);
		if (first && verdict != DROPPED)
			count(first_state, &size, verdict);
	} else {
		verdict = police(first, first_state, &size);
		if (second && verdict != DROPPED)
			count(second_state, &size, verdict);
	}
	if (verdict == DROPPED)
		return 0;
	if (first)
		set(how, first, NULL, verdict);
	how->is_reserved = first != NULL;
	if (second)
		set(how, second, by->rule, verdict);
	return 1;
}

/* What rsvp_judge_socket answers: the number of a flow, and above it a verdict and one. */
#define VERDICT_SHIFT 28

/*
 * Step 3: judges a packet by the flow of its socket, or only counts it where another has a rate for it; 0 where there is no flow. The
 * packet's IP header is behind so many octets. A function of its own, so that the kernel verifies it by itself.
 */
__attribute__((noinline)) int rsvp_judge_socket(struct __sk_buff *skb, __u32 link, __u32 v6, __u32 port, __u32 is_rated)
{
	struct state *state = NULL;
	const struct flow *flow;
	struct size size;
	__u64 socket = handed_over(skb);
	__u32 number = socket ? find_socket_flow(skb, socket, link, v6, port) : 0;
	enum verdict verdict = CONFORMS;

	flow = live(number, &state);
	if (!flow)
		return 0;
	measure_behind(skb, link, &size);
	if (is_rated)
		count(state, &size, CONFORMS);
	else
		verdict = police(flow, state, &size);
	return (verdict + 1) << VERDICT_SHIFT | (number - 1);
}

/* What the flow of the packet's socket sets that others have not; false if it is to be dropped. */
INLINE int of_socket(struct __sk_buff *skb, const struct packet *packet, struct treatment *how)
{
	__u32 judged = rsvp_judge_socket(skb, packet->network, packet->v6, packet->of.port, how->is_rated);
	__u32 number = judged & ((1U << VERDICT_SHIFT) - 1), verdict = judged >> VERDICT_SHIFT;
	const struct flow *flow;

	if (!verdict)
		return 1;
	if (verdict == DROPPED + 1)
		return 0;
	flow = bpf_map_lookup_elem(&flows, &number);
	if (flow)
		set(how, flow, NULL, verdict - 1);
	return 1;
}

/* Writes a DSCP; the two bits of ECN stay. */
INLINE void mark(struct __sk_buff *skb, struct packet *packet, __u8 dscp)
{
	__u8 class = (__u8)(dscp << 2) | (packet->traffic_class & 3);
	__u16 start = bpf_ntohs(packet->start);
	__be16 changed;

	if (dscp == LEAVE || class == packet->traffic_class)
		return;
	if (packet->v6)
		changed = bpf_htons((start & 0xf00f) | (__u16)class << 4);
	else
		changed = bpf_htons((start & 0xff00) | class);
	if (bpf_skb_store_bytes(skb, packet->network, &changed, sizeof(changed), packet->v6 ? BPF_F_RECOMPUTE_CSUM : 0))
		return;
	/* IPv4's checksum takes the difference, so that a sum over the whole packet stays as it was. */
	if (!packet->v6)
		bpf_l3_csum_replace(skb, packet->network + 10, packet->start, changed, sizeof(changed));
	packet->start = changed;
	packet->traffic_class = class;
}

/* Writes a priority code point: into the VLAN tag that is there, else into a priority tag (VLAN 0, IEEE 802.1Q). */
INLINE void tag(struct __sk_buff *skb, const struct packet *packet, __u8 pcp, __u32 link_header)
{
	__u16 priority = (__u16)pcp << 13;
	__be16 tci;

	if (pcp == LEAVE || link_header != ETHERNET)
		return;
	if (skb->vlan_present) {
		__u16 beside = (skb->vlan_tci & 0x1fff) | priority;
		__be16 protocol = skb->vlan_proto;

		if (!bpf_skb_vlan_pop(skb))
			bpf_skb_vlan_push(skb, protocol, beside);
	} else if (packet->tag) {
		if (bpf_skb_load_bytes(skb, packet->tag, &tci, sizeof(tci)))
			return;
		tci = bpf_htons((bpf_ntohs(tci) & 0x1fff) | priority);
		bpf_skb_store_bytes(skb, packet->tag, &tci, sizeof(tci), BPF_F_RECOMPUTE_CSUM);
	} else {
		bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), priority);
	}
}

/* Whether a packet resolves addresses of the link. Traffic that is waiting for it must not hold it up. */
INLINE int resolves_addresses(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 type;

	if (packet->protocol == bpf_htons(ETH_P_ARP))
		return 1;
	if (!packet->v6 || packet->of.protocol != PROTOCOL_ICMPV6 || packet->later)
		return 0;
	if (bpf_skb_load_bytes(skb, packet->transport, &type, sizeof(type)))
		return 0;
	return type >= FIRST_DISCOVERY && type <= LAST_DISCOVERY;
}

/* What becomes of a packet of an interface, and its class: 0 where it has none. */
INLINE int treat(struct __sk_buff *skb, const struct interface *here, const int with_policies, __u32 *class)
{
	__u32 zero = 0;
	struct packet *packet = bpf_map_lookup_elem(&reading, &zero);
	struct found by = {};
	struct treatment how = { .dscp = LEAVE, .pcp = LEAVE };

	if (!packet)
		return NEXT;
	__builtin_memset(packet, 0, sizeof(*packet));
	if (!locate(skb, here, packet)) {
		if (here->by_dscp & BY_CLASS && resolves_addresses(skb, packet))
			*class = here->classes[NETWORK_CONTROL];
		if (with_policies) {
			set_by_frames(skb, here, packet, &how);
			if (how.class)
				*class = how.class;
			tag(skb, packet, how.pcp, here->link_header);
		}
		return NEXT;
	}
	if (packet->v6 ? !read_v6(skb, packet) : !read_v4(skb, packet))
		return NEXT;
	find(skb, here, with_policies, packet, &by);
	if (!judge(skb, packet, &by, &how))
		return DROP;
	if (here->by_hand & SOCKETS && !of_socket(skb, packet, &how))
		return DROP;
	if (with_policies)
		set_by_policy(skb, packet, &by.policy, &how);
	mark(skb, packet, how.dscp);
	*class = how.class;
	/* Last: DSCP to class, by the DSCP with which the packet leaves, where nothing before has chosen a class. */
	if (!*class && here->by_dscp & BY_CLASS) {
		__u8 dscp = resolves_addresses(skb, packet) ? NETWORK_CONTROL : packet->traffic_class >> 2;

		*class = here->classes[dscp & 63];
	}
	/* The priority of what no flow has marked, by its DSCP. */
	if (how.pcp == LEAVE)
		how.pcp = here->pcp[packet->traffic_class >> 2 & 63];
	tag(skb, packet, how.pcp, here->link_header);
	return NEXT;
}

/* Applies what treat() says. */
INLINE int leaves(struct __sk_buff *skb, const struct interface *here, const int with_policies)
{
	__u32 major = skb->priority >> 16, class = 0;
	int done = treat(skb, here, with_policies, &class);

	/* A packet that comes through a tunnel has the class of the tunnel: here that number may be another flow's, so it is none. */
	if (class || (major >= CLASSES && major <= CLASSES + SHARDS))
		skb->priority = class;
	return done;
}

SEC("classifier")
int rsvp_egress(struct __sk_buff *skb)
{
	__u32 interface = skb->ifindex;
	struct interface *here = bpf_map_lookup_elem(&interfaces, &interface);

	if (!here)
		return NEXT;
	/* Where there are no policies, nothing is paid for them; where the kernel cannot run that program, this one goes on. */
	if (here->policies) {
		if (is_left_alone(skb, here))
			return NEXT;
		bpf_tail_call(skb, &policy_step, 0);
	}
	return leaves(skb, here, 0);
}

/* The same with step 4. */
SEC("classifier")
int rsvp_policies(struct __sk_buff *skb)
{
	__u32 interface = skb->ifindex;
	struct interface *here = bpf_map_lookup_elem(&interfaces, &interface);

	return here ? leaves(skb, here, 1) : NEXT;
}

/*
 * At the root of the classes, not in direct action: the class in which the scheduler of a packet's own class is, where that is not
 * the root itself.
 */
SEC("classifier")
int rsvp_shards(struct __sk_buff *skb)
{
	__u32 shard = (skb->priority >> 16) - CLASSES - 1;

	return shard < SHARDS ? CLASSES << 16 | (FIRST_SHARD + shard) : 0;
}

#include "policy_hooks.bpf.h"

/* The name that the kernel's list has for "MIT, or GPL-2.0". */
char licence[] SEC("license") = "Dual MIT/GPL";
