//! A configuration without what is nobody else's business: keys, and all that cannot be read for sure, as it may be one.

const WORDS: [&str; 4] = ["key", "secret", "pass", "psk"];
const REST: &str = "# (the rest is left out: it cannot be read for sure)";

/// The configuration as it is, but for values that are called a key, a secret or a password, and those of tables that are; and
/// for what is no TOML.
pub(super) fn without_keys(text: &str) -> String {
    let mut said = Vec::new();
    let (mut rest, mut is_secret_table) = (text, false);
    while !rest.is_empty() {
        let Some((length, outside)) = statement(rest) else {
            said.push(REST.to_owned());
            break;
        };
        let (of, after) = rest.split_at(length);
        rest = after;
        let of = of.trim_end_matches(['\n', '\r']);
        let outside = outside.trim();
        let is_secret = {
            let of = of.to_lowercase();
            WORDS.iter().any(|word| of.contains(word))
        };
        if outside == "[" {
            is_secret_table = is_secret || of.contains('\\');
            said.push(if of.contains('\n') { left_out("") } else { of.to_owned() });
        } else if outside.is_empty() {
            said.push(if is_secret { left_out("#") } else { of.to_owned() });
        } else if is_secret || is_secret_table || !is_sure(outside) || is_written_otherwise(of, outside) {
            said.push(left_out(outside.split_once('=').map_or("", |(name, _)| name)));
        } else {
            said.push(of.to_owned());
        }
    }
    said.join("\n")
}

/// In the place of a value; with its name, where that is one for sure.
fn left_out(name: &str) -> String {
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && name.chars().all(is_name) && name.len() <= 64 {
        format!("{name} = \"(left out)\"")
    } else {
        "# (left out)".to_owned()
    }
}

/// Whether what is outside of strings and brackets is a name with a value.
fn is_sure(outside: &str) -> bool {
    let Some((name, value)) = outside.split_once('=') else { return false };
    let value = value.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "_-.\"".contains(c);
    let is_number = value.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "+-_.:".contains(c));
    !name.trim().is_empty()
        && name.chars().all(is_name)
        && (matches!(value, "\"" | "[" | "true" | "false") || is_number)
}

/// Whether a name may be another one than it looks like.
fn is_written_otherwise(of: &str, outside: &str) -> bool {
    of.contains('\\') && outside.split('=').next().is_some_and(|name| name.contains('"'))
}

/// The first statement: how long it is with its line's end, and what is outside of its strings, brackets and comments, each of which
/// leaves a sign that it was there. None where a string or a bracket does not end.
fn statement(text: &str) -> Option<(usize, String)> {
    let octets = text.as_bytes();
    let (mut at, mut depth, mut outside) = (0, 0_usize, Vec::new());
    while let Some(octet) = octets.get(at) {
        match octet {
            b'\n' if depth == 0 => return Some((at + 1, words(&outside))),
            b'#' => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'"' | b'\'' => {
                at += string(&octets[at..], *octet)?;
                if depth == 0 {
                    outside.push(b'"');
                }
                continue;
            }
            b'[' | b'{' => {
                if depth == 0 {
                    outside.push(b'[');
                }
                depth += 1;
            }
            b']' | b'}' => depth = depth.checked_sub(1)?,
            other if depth == 0 => outside.push(*other),
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then(|| (text.len(), words(&outside)))
}

fn words(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// How long the string is that begins here.
fn string(octets: &[u8], quote: u8) -> Option<usize> {
    let is_long = octets.starts_with(&[quote; 3]);
    let quotes = if is_long { 3 } else { 1 };
    let mut at = quotes;
    loop {
        match octets.get(at)? {
            b'\\' if quote == b'"' && octets.get(at + 1) != Some(&b'\n') => at += 1,
            b'\n' if !is_long => return None,
            found if *found == quote && octets[at..].starts_with(&[quote; 3][..quotes]) => {
                // Up to two more belong to a long string.
                let more = octets[at + quotes..].iter().take_while(|octet| **octet == quote).count();
                return Some(at + quotes + if is_long { more.min(2) } else { 0 });
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_left_out_and_everything_else_is_there() {
        let text = "log = \"info\"\n[integrity]\nkey = \"hush\"\n#shared_secret = \"hush\"\nKeys = [\"hush\"]\nrefresh = \"5s\"\n\
            list = [1, # one\n 2]\n[interface.\"eth0.5\"]\nenabled = true # on\nbandwidth=10_000";
        let said = without_keys(text);
        assert!(!said.contains("hush"), "{said}");
        for line in [
            "log = \"info\"",
            "[integrity]",
            "refresh = \"5s\"",
            "key = \"(left out)\"",
            "list = [1, # one\n 2]",
            "[interface.\"eth0.5\"]\nenabled = true # on\nbandwidth=10_000",
        ] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_read_for_sure_is_left_out() {
        for text in [
            "list=[{id=1,key=\"hush\"}]",
            "password = \"\"\"\nhush\n\"\"\"",
            "password = '''\nhush = 1\n'''",
            "password = \"\"\"\nhush\nlog = \"hush\"",
            "password = \"hush\nhush\"",
            "password = [\n\"hush\",\n \"hush\"]",
            "hush",
            "log = hush",
            "log = \"info\" hush",
            "[keys]\nfirst = \"hush\"",
            "\"\\u006bey\" = \"hush\"\n[\"\\u006bey\"]\na = \"hush\"",
            "]\npin = \"hush\"",
            "# the key is hush",
            "[integrity\npassword = \"hush\"]",
        ] {
            let said = without_keys(&format!("node = \"r\"\n{text}\n"));
            assert!(!said.contains("hush"), "{text}: {said}");
            assert!(said.starts_with("node = \"r\"\n"), "{text}: {said}");
        }
        let said = without_keys("password = \"hush\"\nlog = info\n[log]\nlevel = \"debug\"");
        assert!(said.ends_with("[log]\nlevel = \"debug\""), "{said}");
    }
}
