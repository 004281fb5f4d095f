//! Lines broken where rustfmt breaks them, so that what is written is formatted already.

/// Letters in a line at most.
const WIDTH: usize = 100;
/// A chain of calls stays in one line below so many letters.
const CHAIN: usize = 60;
/// Letters of a list that stays in one line.
const LIST: usize = 60;
/// Letters of an attribute's arguments that stay in one line.
const ATTRIBUTE: usize = 70;

/// `async fn name(arguments) -> answer {`, or one argument a line.
pub(crate) fn signature(name: &str, arguments: &[String], answer: &str) -> String {
    let one = format!("async fn {name}({}) -> {answer} {{", arguments.join(", "));
    if one.len() <= WIDTH {
        return one;
    }
    let lines: String = arguments
        .iter()
        .map(|argument| format!("    {argument},\n"))
        .collect();
    format!("async fn {name}(\n{lines}) -> {answer} {{")
}

/// `#[name(arguments)]`, or one argument a line.
pub(crate) fn attribute(name: &str, arguments: &[String]) -> String {
    let one = arguments.join(", ");
    if one.len() <= ATTRIBUTE {
        return format!("#[{name}({one})]");
    }
    format!("#[{name}(\n    {}\n)]", arguments.join(",\n    "))
}

/// `vec![first, second]` in the body of a function, or one element a line.
pub(crate) fn list(macro_name: &str, elements: &[String]) -> String {
    let one = elements.join(", ");
    if one.len() <= LIST {
        return format!("{macro_name}[{one}]");
    }
    let lines: String = elements
        .iter()
        .map(|element| format!("        {element},\n"))
        .collect();
    format!("{macro_name}[\n{lines}    ]")
}

/// A statement in the body of a function: `let notes: Page<Note> = sql!("…").page(&page, &db).await?;`.
pub(crate) fn statement(before: &str, sql: &[String], call: &str) -> String {
    if let [line] = sql {
        let head = format!("sql!(\"{line}\")");
        let chain = format!("{head}{call}.await?");
        let (short, room) = (chain.len() < CHAIN, WIDTH - 4 - before.len());
        return if short && chain.len() < room {
            format!("    {before}{chain};")
        } else if short {
            format!("    {}\n        {chain};", before.trim_end())
        } else if head.len() < room {
            format!("    {before}{head}\n        {call}\n        .await?;")
        } else {
            let before = before.trim_end();
            format!("    {before}\n        {head}\n            {call}\n            .await?;")
        };
    }
    let lines = sql.join("\n         ");
    format!("    {before}sql!(\n        \"{lines}\"\n    )\n    {call}\n    .await?;")
}

/// `head(first, second)`, filled into lines of a statement.
pub(crate) fn filled(head: &str, items: &[String], tail: &str) -> Vec<String> {
    let room = WIDTH - 9;
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    for (at, item) in items.iter().enumerate() {
        let last = at + 1 == items.len();
        let piece = if last {
            format!("{item}{tail}")
        } else {
            format!("{item},")
        };
        let begins = line.trim().is_empty() || at == 0;
        let blank = if begins { "" } else { " " };
        if !begins && line.len() + 1 + piece.len() > room {
            lines.push(std::mem::take(&mut line));
            line = format!("    {piece}");
        } else {
            line += &format!("{blank}{piece}");
        }
    }
    lines.push(line);
    lines
}
