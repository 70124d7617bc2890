// SPDX-License-Identifier: GPL-2.0-only
//! The rows as bars, in groups of one bar for each way of isolation.

use std::path::Path;

use anyhow::{Context, Result};
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;

use super::{Row, WAYS};

const WIDTH: u32 = 960;
/// Of a group.
const HEIGHT: u32 = 84;
/// Title, axis and its description.
const AROUND: u32 = 130;
const LABELS: u32 = 190;
const FONT: &str = "sans-serif";
const COLOURS: [RGBColor; WAYS.len()] = [
    RGBColor(110, 110, 110),
    RGBColor(225, 150, 50),
    RGBColor(60, 120, 180),
    RGBColor(40, 150, 100),
];
/// Where the logarithmic axis begins: below one, which has to be seen.
const ORIGIN: f64 = 0.5;
/// On the other axis: what a bar takes, and a group with the space around it.
const BAR: i32 = 2;
const GROUP: i32 = (WAYS.len() as i32 + 1) * BAR;

/// Draws the rows that have something to show.
pub fn draw(rows: &[Row], title: &str, file: &Path) -> Result<()> {
    let rows: Vec<_> = rows.iter().filter(|row| row.is_something()).collect();
    plot(&rows, title, file).with_context(|| format!("drawing {}", file.display()))
}

fn plot(rows: &[&Row], title: &str, file: &Path) -> Result<()> {
    let groups = i32::try_from(rows.len())?;
    let height = AROUND + HEIGHT * groups.unsigned_abs();
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = rows.iter().flat_map(|row| row.counts).max().unwrap_or(1);
    // The numbers at the bars' ends need room.
    let end = (most as f64).max(10.0) * 8.0;
    // From bottom to top, so the first row comes last.
    let rows: Vec<_> = (0..)
        .step_by(GROUP as usize)
        .zip(rows.iter().rev())
        .collect();
    let middles = rows.iter().map(|(bottom, _)| bottom + GROUP / 2).collect();
    let name = |y: &i32| rows[(y / GROUP) as usize].1.name.clone();
    let mut chart = ChartBuilder::on(&root)
        .caption(title, (FONT, 22))
        .margin(16)
        .set_label_area_size(LabelAreaPosition::Left, LABELS)
        .set_label_area_size(LabelAreaPosition::Bottom, 44)
        .build_cartesian_2d(
            (ORIGIN..end).log_scale(),
            (0..groups * GROUP).with_key_points(middles),
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .y_labels(rows.len())
        .y_label_formatter(&name)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .x_desc("times (logarithmic)")
        .label_style((FONT, 14))
        .draw()?;
    for (way, ((label, ..), colour)) in WAYS.into_iter().zip(COLOURS).enumerate() {
        let below = BAR / 2 + BAR * way as i32;
        let bars = rows.iter().filter_map(|(bottom, row)| {
            let top = bottom + GROUP - below;
            let end = row.counts[way] as f64;
            let corners = [(ORIGIN, top), (end, top - BAR)];
            (end > 0.0).then(|| Rectangle::new(corners, colour.filled()))
        });
        chart
            .draw_series(bars)?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        let numbers = rows.iter().map(|(bottom, row)| {
            let count = row.counts[way];
            let place = ((count as f64).max(ORIGIN), bottom + GROUP - below);
            EmptyElement::at(place) + Text::new(count.to_string(), (4, 5), (FONT, 12))
        });
        chart.draw_series(numbers)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .label_font((FONT, 14))
        .draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn all_that_is_shown_is_in_the_picture() {
        let row = |name: &str, counts| Row {
            name: name.into(),
            counts,
        };
        let rows = [
            row("local timer interrupts", [15012, 15003, 0, 0]),
            row("function call interrupts", [4, 5, 1, 1]),
            row("TIMER softirqs", [81, 15, 0, 0]),
            row("HI softirqs", [0; 4]),
        ];
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("noise.svg");
        draw(&rows, "in 60 s", &file).unwrap();
        let picture = fs::read_to_string(&file).unwrap();
        let texts = [
            "in 60 s",
            "local timer interrupts",
            "TIMER softirqs",
            "15012",
            "three lines",
        ];
        for text in texts {
            assert!(picture.contains(text), "{text}");
        }
        assert!(!picture.contains("HI softirqs"));
        let bars = |colour: &str| picture.matches(&format!("fill=\"{colour}\"")).count();
        // One in the legend, and one in each group where there is something.
        assert_eq!(bars("#6E6E6E"), 1 + 3);
        assert_eq!(bars("#289664"), 1 + 1);
    }
}
