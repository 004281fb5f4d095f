//! No `mod.rs`, no path of one machine, nothing left for later.

use super::{Faults, Tree};

/// Written in two halves, so that this file does not find itself.
const OF_A_MACHINE: [&str; 3] = [
    concat!("/wor", "k/"),
    concat!("/tmp/", "wt"),
    concat!("/ho", "me/"),
];
const FOR_LATER: [&str; 3] = [
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("FIX", "ME"),
];
const CODE: [&str; 7] = [".rs", ".toml", ".sql", ".jinja", ".sh", ".yml", ".ci/run"];

pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    for (name, text) in tree.under("", "") {
        if name == "mod.rs" || name.ends_with("/mod.rs") {
            faults.add(
                name,
                "name the file for its module and put it beside the folder",
            );
        }
        let code = CODE.iter().any(|end| name.ends_with(end));
        for (line, text) in (1..).zip(text.lines()) {
            let place = || format!("{name}:{line}");
            if let Some(found) = OF_A_MACHINE.iter().find(|found| text.contains(**found)) {
                faults.add(&place(), &format!("`{found}` is a path of one machine"));
            }
            if let Some(found) = FOR_LATER
                .iter()
                .find(|found| code && text.contains(**found))
            {
                faults.add(
                    &place(),
                    &format!("`{found}` is left: finish it, or open an issue"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults;
    use super::{FOR_LATER, OF_A_MACHINE, check};

    #[test]
    fn finds_each_path_of_a_machine_in_any_file() {
        for path in OF_A_MACHINE {
            let found = faults(check, &[("docs/a.md", &format!("fine\nsee {path}x\n"))]);
            assert_eq!(
                found,
                [format!("docs/a.md:2: `{path}` is a path of one machine")]
            );
        }
    }

    #[test]
    fn finds_what_is_left_for_later_in_code_and_lets_prose_speak_of_it() {
        for left in FOR_LATER {
            assert_eq!(
                faults(check, &[("a/src/b.rs", &format!("fn f() {{ {left} }}"))]).len(),
                1
            );
            assert_eq!(
                faults(check, &[("docs/b.md", &format!("no {left} here"))]).len(),
                0
            );
        }
    }

    #[test]
    fn finds_a_mod_rs() {
        assert_eq!(faults(check, &[("a/src/b/mod.rs", "")]).len(), 1);
        assert_eq!(faults(check, &[("a/src/b/model.rs", "")]).len(), 0);
    }
}
