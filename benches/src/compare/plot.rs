//! Line plots as SVG, on a logarithmic scale upward.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 400.0;
/// Told apart by colour, and by dashes where the colours begin again.
const COLOURS: [&str; 8] = [
    "#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f",
];

/// What a plot shows.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) x_label: &'static str,
    pub(super) y_label: String,
    /// What is said below which values of x.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) series: Vec<(String, Vec<(f64, f64)>)>,
}

impl Plot {
    /// The picture. None of a plot that has no point.
    pub(super) fn svg(&self) -> Option<String> {
        let points = || self.series.iter().flat_map(|(_, points)| points);
        let ys = || points().map(|(_, y)| y.log10());
        let (low, high) = (ys().fold(f64::MAX, f64::min), ys().fold(f64::MIN, f64::max));
        points().next()?;
        let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
        let ticks = self.x_ticks.iter().map(|(x, _)| *x);
        let (first, last) = ticks.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        let x_at = |x: f64| LEFT + (x - first) / (last - first) * (RIGHT - LEFT);
        let y_at = |y: f64| BOTTOM - (y.log10() - low) / (high - low) * (BOTTOM - TOP);
        let mut svg = head(&self.title, self.x_label, &self.y_label);
        for power in low as i32..=high as i32 {
            let y = y_at(10_f64.powi(power));
            line(&mut svg, (LEFT, y), (RIGHT, y));
            let value = 10_f64.powi(power);
            text(&mut svg, (LEFT - 8.0, y + 4.0), "end", &value.to_string());
        }
        for (x, said) in &self.x_ticks {
            line(&mut svg, (x_at(*x), TOP), (x_at(*x), BOTTOM));
            text(&mut svg, (x_at(*x), BOTTOM + 18.0), "middle", said);
        }
        for (at, (name, points)) in self.series.iter().enumerate() {
            let points: Vec<_> = points.iter().map(|&(x, y)| (x_at(x), y_at(y))).collect();
            curve(&mut svg, at, name, &points);
        }
        Some(svg + "</svg>\n")
    }
}

fn head(title: &str, x_label: &str, y_label: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let middle = f64::midpoint(LEFT, RIGHT);
    text(&mut svg, (middle, BOTTOM + 42.0), "middle", x_label);
    text(
        &mut svg,
        (LEFT, TOP - 10.0),
        "start",
        &format!("{title}: {y_label}"),
    );
    svg
}

// Writing to a text does not fail, here and below.
fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, said: &str) {
    let said = said.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{said}</text>"
    );
}

/// A line with its points, and its name in the legend.
fn curve(svg: &mut String, at: usize, name: &str, points: &[(f64, f64)]) {
    let colour = COLOURS[at % COLOURS.len()];
    let dashes = if at < COLOURS.len() { "none" } else { "6 4" };
    let stroke = format!(
        "fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\""
    );
    let path = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
    let path: Vec<String> = path.collect();
    let _ = writeln!(svg, "<polyline points=\"{}\" {stroke}/>", path.join(" "));
    for (x, y) in points {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        );
    }
    let (x, y) = (RIGHT + 20.0, TOP + 10.0 + 20.0 * at as f64);
    let (end, y_text) = (x + 24.0, y + 4.0);
    let _ = writeln!(svg, "<polyline points=\"{x},{y} {end},{y}\" {stroke}/>");
    text(svg, (end + 8.0, y_text), "start", name);
}

#[cfg(test)]
mod tests {
    use super::Plot;

    #[test]
    fn a_plot_has_a_curve_for_each_series_and_none_without_points() {
        let mut plot = Plot {
            title: "a < b".to_owned(),
            x_label: "x",
            y_label: "y".to_owned(),
            x_ticks: vec![(0.0, "1".to_owned()), (1.0, "10".to_owned())],
            series: vec![("one".to_owned(), vec![(0.0, 5.0), (1.0, 50.0)])],
        };
        let svg = plot.svg().expect("there are points");
        for part in [
            "a &lt; b: y",
            ">one</text>",
            ">100</text>",
            "points=\"70.0,",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        plot.series.clear();
        assert_eq!(plot.svg(), None);
    }
}
