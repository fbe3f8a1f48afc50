//! Proofs of inclusion (RFC 9162, section 2.1.3.2), and the checkpoints under which they hold (C2SP
//! tlog-checkpoint and signed-note).

use super::super::keys::Key;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

type Hash = [u8; 32];

/// The root of the tree of `size` leaves in which `leaf` is number `index`, by `path`; none where such
/// a tree cannot be.
pub(super) fn root(leaf: &[u8], index: u64, size: u64, path: &[Vec<u8>]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash: Hash = Sha256::new_with_prefix([0])
        .chain_update(leaf)
        .finalize()
        .into();
    for sibling in path {
        if last == 0 || sibling.len() != hash.len() {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = inner(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = inner(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

fn inner(left: &[u8], right: &[u8]) -> Hash {
    Sha256::new_with_prefix([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// Whether `note` says that the tree has this size and root, and `key` signed it.
pub(super) fn is_signed(note: &str, size: u64, root: &[u8], key: &Key) -> bool {
    let Some((text, signatures)) = note.split_once("\n\n") else {
        return false;
    };
    let mut lines = text.lines().skip(1);
    let says = lines.next().and_then(|line| line.parse().ok()) == Some(size)
        && lines
            .next()
            .and_then(|line| STANDARD.decode(line).ok())
            .as_deref()
            == Some(root);
    let message = format!("{text}\n");
    // `— name base64(4 bytes that hint at the key, and the signature)`.
    let signed = |line: &str| {
        let signature = line.strip_prefix("\u{2014} ")?.rsplit(' ').next()?;
        let signature = STANDARD.decode(signature).ok()?;
        Some(key.signed(message.as_bytes(), signature.get(4..)?))
    };
    says && signatures.lines().any(|line| signed(line) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u8) -> Hash {
        Sha256::new_with_prefix([0])
            .chain_update([n])
            .finalize()
            .into()
    }

    /// RFC 9162, section 2.1.1, as it says it.
    fn tree(leaves: &[u8]) -> Hash {
        match leaves {
            [one] => leaf(*one),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                inner(&tree(&leaves[..half]), &tree(&leaves[half..]))
            }
        }
    }

    /// Section 2.1.3.1.
    fn path(index: usize, leaves: &[u8]) -> Vec<Vec<u8>> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (mut path, sibling) = match index < half {
            true => (path(index, &leaves[..half]), tree(&leaves[half..])),
            false => (path(index - half, &leaves[half..]), tree(&leaves[..half])),
        };
        path.push(sibling.to_vec());
        path
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_found_under_its_root() {
        for size in 1..=40_u8 {
            let leaves: Vec<u8> = (0..size).collect();
            let want = tree(&leaves);
            for index in 0..size {
                let path = path(usize::from(index), &leaves);
                let (index, size) = (u64::from(index), u64::from(size));
                let got = |leaf: &[u8], index| root(leaf, index, size, &path);
                let own = [u8::try_from(index).unwrap()];
                assert_eq!(got(&own, index), Some(want));
                assert_ne!(got(&[99], index), Some(want));
                assert_eq!(root(&own, size, size, &path), None);
                if size > 1 {
                    assert_ne!(got(&own, (index + 1) % size), Some(want));
                    assert_ne!(root(&own, index, size, &path[1..]), Some(want));
                }
            }
        }
    }
}
