//! Where nodes and LANs stand in a picture: in layers from those who send to those who receive, by Sugiyama's algorithm.

use super::{LinkReport, NodeReport};
use rust_sugiyama::configure::Config;
use std::collections::{BTreeMap, VecDeque};

/// Distance between neighbours of a layer.
const SPACE: f64 = 70.0;
/// Distance between layers, in which a name and a rate have room.
const LAYER: f64 = 150.0;
/// How far from the straight line a link passes at most that has others beside it.
const BEND: f64 = 30.0;

/// Places in pixels, and how much room they take.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// In the order of the nodes.
    pub(super) nodes: Vec<(f64, f64)>,
    /// In the order of the links: the place of a LAN, and where a link that has others beside it between the same nodes passes.
    pub(super) middles: Vec<Option<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

pub(super) fn layout(all: &[NodeReport], links: &[LinkReport]) -> Layout {
    let nodes = all.len();
    let names: BTreeMap<&str, usize> =
        all.iter().enumerate().map(|(n, node)| (node.name.as_str(), n)).collect();
    // LANs follow the nodes as vertices of their own.
    let ends: Vec<Vec<usize>> = links
        .iter()
        .map(|l| l.ends.iter().filter_map(|end| names.get(end.as_str()).copied()).collect())
        .collect();
    let lan = |n: usize| links[n].kind == "lan";
    let mut neighbours = vec![Vec::new(); nodes + ends.len()];
    for (n, ends) in ends.iter().enumerate() {
        match (lan(n), ends.as_slice()) {
            (false, &[a, b]) => {
                neighbours[a].push(b);
                neighbours[b].push(a);
            }
            _ => {
                for &end in ends {
                    neighbours[end].push(nodes + n);
                    neighbours[nodes + n].push(end);
                }
            }
        }
    }
    let far = distances(&neighbours, nodes);
    let mut edges = Vec::new();
    for (a, others) in neighbours.iter().enumerate() {
        edges.extend(others.iter().filter(|&&b| (far[a], a) < (far[b], b)).map(|&b| (a as u32, b as u32)));
    }
    edges.sort_unstable();
    edges.dedup();
    let used = (0..neighbours.len()).filter(|n| *n < nodes || lan(n - nodes));
    let vertices: Vec<u32> = used.map(|n| n as u32).collect();
    let mut layout = place(&vertices, &edges, nodes, ends.len());
    let mut beside: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (n, ends) in ends.iter().enumerate() {
        if let (false, &[a, b]) = (lan(n), ends.as_slice()) {
            beside.entry((a.min(b), a.max(b))).or_default().push(n);
        }
    }
    for (ends, links) in beside.iter().filter(|(_, links)| links.len() > 1) {
        part(&mut layout, *ends, links);
    }
    layout
}

/// Draws links between the same two nodes apart: each passes at another distance from the straight line.
fn part(layout: &mut Layout, (a, b): (usize, usize), links: &[usize]) {
    let ((ax, ay), (bx, by)) = (layout.nodes[a], layout.nodes[b]);
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx.hypot(dy).max(1.0);
    let last = (links.len() - 1) as f64;
    let gap = (2.0 * BEND / last).min(BEND);
    for (k, &link) in links.iter().enumerate() {
        let off = (k as f64 - last / 2.0) * gap;
        let middle = ((ax + bx) / 2.0 - dy / length * off, (ay + by) / 2.0 + dx / length * off);
        layout.middles[link] = Some(middle);
    }
}

/// How far each vertex is from those that the ladder has at its left, the nodes that send.
fn distances(neighbours: &[Vec<usize>], nodes: usize) -> Vec<usize> {
    let mut far = vec![usize::MAX; neighbours.len()];
    for start in 0..nodes {
        if far[start] != usize::MAX {
            continue;
        }
        far[start] = 0;
        let mut todo = VecDeque::from([start]);
        while let Some(at) = todo.pop_front() {
            for &next in &neighbours[at] {
                if far[next] == usize::MAX {
                    far[next] = far[at] + 1;
                    todo.push_back(next);
                }
            }
        }
    }
    far
}

fn place(vertices: &[u32], edges: &[(u32, u32)], nodes: usize, links: usize) -> Layout {
    // Exchanging neighbours again and again takes minutes in large worlds.
    let config = Config { vertex_spacing: SPACE, transpose: vertices.len() <= 60, ..Config::default() };
    let mut all =
        Layout { nodes: vec![(0.0, 0.0); nodes], middles: vec![None; links], width: 0.0, height: 0.0 };
    let sized: Vec<(u32, (f64, f64))> = vertices.iter().map(|n| (*n, (1.0, 1.0))).collect();
    let mut parts = rust_sugiyama::from_vertices_and_edges(&sized, edges, &config);
    // Largest first; among equals by their first vertex.
    parts.sort_by_key(|(part, ..)| (usize::MAX - part.len(), part.iter().map(|(n, _)| *n).min()));
    for (part, ..) in parts {
        let top = part.iter().map(|(_, at)| at.0).fold(f64::INFINITY, f64::min);
        let mut layers: Vec<f64> = part.iter().map(|(_, at)| at.1).collect();
        layers.sort_by(f64::total_cmp);
        layers.dedup();
        let mut bottom = all.height;
        for (vertex, (across, along)) in &part {
            let layer = layers.partition_point(|layer| layer < along) as f64;
            let at = ((layer + 0.5) * LAYER, across - top + all.height + SPACE / 2.0);
            all.width = all.width.max(at.0 + LAYER / 2.0);
            bottom = bottom.max(at.1 + SPACE / 2.0);
            match vertex.checked_sub(nodes) {
                None => all.nodes[*vertex] = at,
                Some(link) => all.middles[link] = Some(at),
            }
        }
        all.height = bottom;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_beside_each_other_pass_apart_and_stay_near_their_nodes() {
        for many in 2..12 {
            let mut all = Layout {
                nodes: vec![(75.0, 35.0), (225.0, 35.0)],
                middles: vec![None; many],
                width: 300.0,
                height: 70.0,
            };
            part(&mut all, (0, 1), &(0..many).collect::<Vec<_>>());
            let mut heights: Vec<f64> = all.middles.iter().map(|at| at.expect("a place").1).collect();
            heights.sort_by(f64::total_cmp);
            assert!(heights[0] > 4.9 && heights[many - 1] < 65.1, "{heights:?}");
            assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > 5.0), "{heights:?}");
            assert!(all.middles.iter().all(|at| at.expect("a place").0 == 150.0));
        }
    }
}
