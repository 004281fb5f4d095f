//! The guide and the code say the same.

use palisade::config::{Config, Member, Settings, Shape};

const GUIDE: &str = include_str!("../../../../docs/configuration.md");

fn leaves(members: &[Member], table: &str, into: &mut Vec<(String, Member)>) {
    for member in members {
        let path = format!("{table}{}", member.name);
        match member.shape {
            Shape::Table(members) => leaves(members, &format!("{path}."), into),
            Shape::Value { .. } => into.push((path, *member)),
        }
    }
}

#[test]
fn lists_every_key_with_its_variable_default_and_limits() {
    let mut known = Vec::new();
    leaves(Config::MEMBERS, "", &mut known);
    let rows: Vec<&str> = GUIDE
        .lines()
        .filter(|line| line.starts_with("| `") || line.starts_with("| ("))
        .collect();
    assert_eq!(rows.len(), known.len());
    for ((path, member), row) in known.iter().zip(rows) {
        let variable = match path.as_str() {
            "database_url" | "host" | "port" => path.to_uppercase(),
            path => format!("PALISADE_{}", path.replace('.', "__").to_uppercase()),
        };
        assert!(
            path == "env" || row.contains(&format!("| `{path}` |")),
            "{path}: {row}"
        );
        let words = [
            Some(variable.as_str()),
            member.default,
            member.lowest,
            member.highest,
        ];
        for word in words.into_iter().flatten() {
            assert!(row.contains(&format!("`{word}`")), "no {word} in {row}");
        }
    }
}
