// SPDX-License-Identifier: GPL-2.0-only
//! What the kernel of a running guest complains of, line by line.

use std::time::{Duration, Instant};

use super::outcome::End;
use super::splats::{Death, Splats};

/// What a dying kernel still has to say is worth this long a wait.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// What was on the console so far.
pub struct Complaints<'a> {
    splats: &'a Splats,
    lines: Vec<String>,
    dead: Option<(End, Instant)>,
    /// An allowed line has announced a stack that has not come yet.
    stack_allowed: bool,
}

impl<'a> Complaints<'a> {
    pub fn none(splats: &'a Splats) -> Self {
        Self {
            splats,
            lines: Vec::new(),
            dead: None,
            stack_allowed: false,
        }
    }

    /// Judges one line of the console. The first fatal line is the one that counts.
    pub fn note(&mut self, line: &str) {
        self.stack_allowed |= self.splats.announces_stack(line);
        if self.stack_allowed && Splats::is_stack(line) {
            self.stack_allowed = false;
            return;
        }
        if self.splats.is_splat(line) {
            self.lines.push(line.to_owned());
        }
        let end = match self.splats.death(line) {
            None => return,
            Some(Death::Panicked) => End::Panicked(line.to_owned()),
            Some(Death::Lost) => End::Lost(line.to_owned()),
        };
        // An oops or a lockup that becomes a panic is a panic.
        match &mut self.dead {
            Some((known @ End::Lost(_), _)) if matches!(end, End::Panicked(_)) => *known = end,
            Some(_) => {}
            None => self.dead = Some((end, Instant::now())),
        }
    }

    /// How the guest has died.
    pub fn death(&mut self) -> Option<End> {
        self.dead.take().map(|(end, _)| end)
    }

    /// The same, when it has had the time to say why.
    pub fn death_told(&mut self) -> Option<End> {
        let (_, since) = self.dead.as_ref()?;
        if since.elapsed() > LAST_WORDS {
            self.death()
        } else {
            None
        }
    }

    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What these lines leave.
    fn complaints(lines: &[&str]) -> Vec<String> {
        let splats = Splats::parse(
            r#"
            fatal = [{ pattern = "Kernel panic", end = "panicked" }]
            deny = [{ pattern = "Call Trace:" }, { pattern = "WARNING:" }]
            allow = [{ pattern = "no memory", reason = "it is on purpose", stack = true }]
            "#,
        )
        .unwrap();
        let mut complaints = Complaints::none(&splats);
        for line in lines {
            complaints.note(line);
        }
        complaints.into_lines()
    }

    #[test]
    fn a_stack_belongs_to_the_line_that_announces_it() {
        assert!(complaints(&["no memory", "CPU: 1 PID: 7", "Call Trace:"]).is_empty());
    }

    #[test]
    fn a_stack_of_its_own_is_a_complaint() {
        assert_eq!(complaints(&["Call Trace:"]).len(), 1);
        assert_eq!(
            complaints(&["no memory", "Call Trace:", "Call Trace:"]).len(),
            1
        );
    }

    #[test]
    fn what_comes_in_between_is_not_forgiven() {
        assert_eq!(
            complaints(&["no memory", "WARNING: other", "Call Trace:"]),
            ["WARNING: other"]
        );
    }
}
