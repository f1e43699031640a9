//! A configuration without what is nobody else's business.

use toml::{Table, Value};

/// What names of secrets have in them.
const WORDS: [&str; 4] = ["key", "secret", "pass", "psk"];

/// The configuration, but for comments and for what is called a key, a secret or a password. Of what is no TOML nothing is known for
/// sure, and so nothing is said but where it is wrong.
pub(super) fn without_keys(text: &str) -> String {
    match text.parse::<Table>() {
        Ok(mut table) => {
            leave_out(&mut table);
            table.to_string()
        }
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("# left out: line {line} is no TOML, and what is a key cannot be told\n")
        }
    }
}

fn leave_out(table: &mut Table) {
    for (name, value) in table.iter_mut() {
        let name = name.to_lowercase();
        if WORDS.iter().any(|word| name.contains(word)) {
            *value = Value::from("(left out)");
        } else {
            leave_out_within(value);
        }
    }
}

fn leave_out_within(value: &mut Value) {
    match value {
        Value::Table(table) => leave_out(table),
        Value::Array(values) => values.iter_mut().for_each(leave_out_within),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_left_out_and_everything_else_is_there() {
        let text = "log = \"info\" # hush\n#shared_secret = \"hush\"\nKeys = [\"hush\"]\nlist=[{id=1,key=\"hush\"}]\nrefresh = \"5s\"\n\
            password = \"\"\"\nhush\n\"\"\"\n\"\\u006bey\" = \"hush\"\n[integrity]\nkey = \"hush\"\n[keys]\nfirst = \"hush\"\n\
            [interface.\"eth0.5\"]\nbandwidth=10_000\n";
        let said = without_keys(text);
        assert!(!said.contains("hush"), "{said}");
        let table: Table = said.parse().expect("TOML");
        assert_eq!(table["log"].as_str(), Some("info"));
        assert_eq!(table["refresh"].as_str(), Some("5s"));
        assert_eq!(table["list"][0]["id"].as_integer(), Some(1));
        assert_eq!(table["integrity"]["key"].as_str(), Some("(left out)"));
        assert_eq!(table["interface"]["eth0.5"]["bandwidth"].as_integer(), Some(10_000));
    }

    #[test]
    fn of_what_is_no_toml_only_the_place_is_said() {
        for text in [
            "hush",
            "password = \"\"\"\nhush",
            "log = hush",
            "password = \"hush\nhush\"",
            "]\npin = \"hush\"",
        ] {
            let said = without_keys(&format!("node = \"r\"\n{text}\n"));
            assert!(said.starts_with("# left out: line ") && !said.contains("hush"), "{text}: {said}");
        }
        assert!(without_keys("a = 1\nb = \n").starts_with("# left out: line 2 "));
    }
}
