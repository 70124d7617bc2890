// SPDX-License-Identifier: GPL-2.0-only
//! What of the suite is run when the person names cases.

use std::collections::BTreeSet;

use super::matrix::{Boot, Compare, Matrix, Selftest, artifact};
use super::{coverage, kunit, oracle};
use crate::guest::provision::Flavour;

/// The parts that are run.
#[derive(Debug, Default)]
pub struct Plan {
    pub host: bool,
    pub patches: bool,
    pub kunit: bool,
    pub coverage: bool,
    pub boots: Vec<Boot>,
    pub compares: Vec<Compare>,
    pub selftests: Vec<Selftest>,
    pub exits: Vec<&'static str>,
}

pub const HOST: &str = "host";
pub const PATCHES: &str = "patches/check";

impl Plan {
    /// Everything without filters; with them, what has one of them in its name and what that needs.
    pub fn new(matrix: &Matrix, exits: &[&'static str], filters: &[String]) -> Self {
        let wanted = |name: &str| is_wanted(name, filters);
        let guests = Self::guests(matrix, false, &wanted);
        Self {
            host: wanted(HOST),
            patches: wanted(PATCHES),
            kunit: [kunit::EXEC, kunit::SAME, oracle::NAME]
                .into_iter()
                .any(wanted),
            coverage: wanted(coverage::NAME),
            selftests: matrix
                .selftests
                .iter()
                .filter(|selftest| wanted(&selftest_name(selftest)))
                .cloned()
                .collect(),
            exits: exits
                .iter()
                .copied()
                .filter(|name| wanted(&exit_name(name)))
                .collect(),
            ..guests
        }
    }

    /// The boots that take very long, and what is compared of them.
    pub fn soak(matrix: &Matrix, filters: &[String]) -> Self {
        Self::guests(matrix, true, &|name| is_wanted(name, filters))
    }

    /// Boots and comparisons: of those that take very long, or of the others.
    fn guests(matrix: &Matrix, soak: bool, wanted: &dyn Fn(&str) -> bool) -> Self {
        let compares: Vec<_> = matrix
            .compares(soak)
            .filter(|compare| wanted(&compare_name(compare)))
            .cloned()
            .collect();
        let boots = matrix.boots.iter().filter(|boot| boot.soak == soak);
        Self {
            boots: boots
                .filter_map(|boot| needed(boot, &compares, wanted))
                .collect(),
            compares,
            ..Self::default()
        }
    }

    /// The kernels that this runs on.
    pub fn flavours(&self) -> BTreeSet<Flavour> {
        let mut flavours: BTreeSet<_> = self.boots.iter().map(|boot| boot.kernel).collect();
        if self.kunit || !self.selftests.is_empty() || !self.exits.is_empty() {
            flavours.insert(Flavour::Patched);
        }
        flavours
    }

    /// Those of them whose guests have other people's tests along.
    pub fn with_suites(&self) -> BTreeSet<Flavour> {
        let boots = self.boots.iter().filter(|boot| boot.suites);
        boots.map(|boot| boot.kernel).collect()
    }

    /// Whether there is anything but the host's own tests.
    pub fn goes_further(&self) -> bool {
        self.patches || self.coverage || !self.flavours().is_empty()
    }
}

/// The boot with the cases that are wanted; with all of them when a comparison looks at it.
fn needed(boot: &Boot, compares: &[Compare], wanted: &dyn Fn(&str) -> bool) -> Option<Boot> {
    let is_compared = compares
        .iter()
        .flat_map(|compare| [&compare.left, &compare.right])
        .any(|side| artifact(side).is_ok_and(|(name, _)| name == boot.name));
    if is_compared {
        return Some(boot.clone());
    }
    let mut boot = boot.clone();
    boot.cases
        .retain(|case| wanted(&format!("{}/{case}", boot.name)));
    (!boot.cases.is_empty()).then_some(boot)
}

pub fn compare_name(compare: &Compare) -> String {
    format!("compare/{}", compare.name)
}

pub fn selftest_name(selftest: &Selftest) -> String {
    format!("selftest/{}", selftest.fault)
}

pub fn exit_name(name: &str) -> String {
    format!("exit-code/{name}")
}

/// By a part of the name; or by more than the name, where it has parts that only a run can tell.
fn is_wanted(name: &str, filters: &[String]) -> bool {
    filters.is_empty()
        || filters
            .iter()
            .any(|filter| name.contains(filter.as_str()) || filter.starts_with(&format!("{name}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        toml::from_str(
            r#"
            boot = [
              { name = "one", kernel = "patched", cases = ["x", "y"] },
              { name = "two", kernel = "patched", cases = ["z"] },
              { name = "three", kernel = "stock", cases = ["z"] },
              { name = "long", kernel = "debug", cases = ["z"], soak = true },
              { name = "longer", kernel = "stock", cases = ["z"], soak = true, suites = true },
            ]
            compare = [
              { name = "same", left = "one/a", right = "two/a" },
              { name = "apart", left = "long/a", right = "longer/a" },
            ]
            selftest = [{ fault = "hang", expect = "lost" }]
            "#,
        )
        .unwrap()
    }

    fn plan(filters: &[&str]) -> Plan {
        let filters: Vec<_> = filters.iter().map(|&filter| filter.to_owned()).collect();
        Plan::new(&matrix(), &["usage"], &filters)
    }

    fn cases(plan: &Plan) -> Vec<String> {
        let names = |boot: &Boot| format!("{}:{}", boot.name, boot.cases.join("+"));
        plan.boots.iter().map(names).collect()
    }

    #[test]
    fn no_filter_is_everything() {
        let plan = plan(&[]);
        assert!(plan.host && plan.patches && plan.kunit);
        assert_eq!(cases(&plan), ["one:x+y", "two:z", "three:z"]);
        assert_eq!((plan.compares.len(), plan.selftests.len()), (1, 1));
        assert_eq!(plan.exits, ["usage"]);
    }

    #[test]
    fn a_filter_boots_only_what_is_needed() {
        let plan = plan(&["one/x"]);
        assert!(!plan.host && !plan.kunit && plan.selftests.is_empty());
        assert_eq!(cases(&plan), ["one:x"]);
    }

    #[test]
    fn a_comparison_brings_both_its_boots() {
        assert_eq!(cases(&plan(&["same"])), ["one:x+y", "two:z"]);
    }

    #[test]
    fn what_takes_very_long_is_apart() {
        let plan = Plan::soak(&matrix(), &[]);
        assert_eq!(cases(&plan), ["long:z", "longer:z"]);
        assert_eq!(plan.flavours(), [Flavour::Stock, Flavour::Debug].into());
        assert_eq!(plan.with_suites(), [Flavour::Stock].into());
        assert_eq!(plan.compares.len(), 1);
        assert!(!plan.host && !plan.patches && plan.selftests.is_empty());
        assert!(Plan::soak(&matrix(), &["one/x".into()]).boots.is_empty());
    }

    #[test]
    fn a_subtest_brings_its_case() {
        assert_eq!(cases(&plan(&["three/z/sub"])), ["three:z"]);
        assert!(!plan(&["host/ktap"]).goes_further());
    }
}
