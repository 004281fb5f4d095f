//! Each compile-fail case has one expected error, and a twin that shows the cure.

use super::{Faults, Tree};

const CASES: &str = "crates/palisade/tests/ui/";

pub(super) fn check(tree: &Tree, faults: &mut Faults) {
    for (name, _) in tree.under(CASES, ".rs") {
        if let Some((room, case)) = name.trim_end_matches(".rs").split_once("/fail/") {
            let expected = format!("{room}/fail/{case}.stderr");
            if !tree.has(&expected) {
                faults.add(
                    name,
                    "has no `.stderr`: run the case once and read what it says",
                );
            }
            if !tree.has(&format!("{room}/pass/{case}.rs")) {
                faults.add(name, "has no twin under `pass/` with the smallest cure");
            }
        } else if !name.contains("/pass/") {
            faults.add(name, "a case lies under `<room>/fail/` or `<room>/pass/`");
        }
    }
    for (name, text) in tree.under(CASES, ".stderr") {
        let errors = text
            .lines()
            .filter(|line| line.starts_with("error"))
            .count();
        if errors != 1 {
            faults.add(name, &format!("one mistake gives one error, not {errors}"));
        }
        if !tree.has(&name.replace(".stderr", ".rs")) {
            faults.add(name, "its case is gone");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults;
    use super::check;

    const CASE: (&str, &str) = ("crates/palisade/tests/ui/db/fail/a.rs", "");
    const TWIN: (&str, &str) = ("crates/palisade/tests/ui/db/pass/a.rs", "");
    const EXPECTED: (&str, &str) = (
        "crates/palisade/tests/ui/db/fail/a.stderr",
        "error: P0501: x\n  |\n",
    );

    #[test]
    fn finds_a_case_without_expectation_or_twin() {
        assert_eq!(faults(check, &[CASE, TWIN, EXPECTED]), Vec::<String>::new());
        assert_eq!(faults(check, &[CASE, TWIN]).len(), 1);
        assert_eq!(faults(check, &[CASE, EXPECTED]).len(), 1);
        assert_eq!(faults(check, &[EXPECTED]).len(), 1);
        assert_eq!(
            faults(check, &[("crates/palisade/tests/ui/db/a.rs", "")]).len(),
            1
        );
    }

    #[test]
    fn finds_two_errors_and_none() {
        for text in ["error: a\nerror[E0277]: b\n", "warning: a\n"] {
            assert_eq!(faults(check, &[CASE, TWIN, (EXPECTED.0, text)]).len(), 1);
        }
    }
}
