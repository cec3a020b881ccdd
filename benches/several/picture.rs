//! Draws the CPU a line against the number of processes.

use crate::Result;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (720, 420);
const FONT: (&str, u32) = ("sans-serif", 15);

/// Both axes are logarithmic: a straight line that rises by 45° is a cost that grows with the number of processes.
pub fn draw(file: &Path, curves: &[(&str, Vec<(usize, f64)>)]) -> Result<()> {
    let points = || curves.iter().flat_map(|(_, points)| points);
    let (Some(most), Some(highest)) =
        (points().map(|(count, _)| *count).max(), points().map(|(_, cpu)| *cpu).max_by(f64::total_cmp))
    else {
        return Err("without the lines there is nothing to draw".into());
    };
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .caption("CPU a line, µs, by the number of processes", ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d((10.0..most as f64 * 1.1).log_scale(), (1.0..highest * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("processes that write a thousand lines a second together")
        .label_style(FONT)
        .axis_desc_style(FONT)
        .x_label_formatter(&|count| format!("{count:.0}"))
        .y_label_formatter(&|cpu| format!("{cpu:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    for (index, (name, points)) in curves.iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let points: Vec<_> = points.iter().map(|(count, cpu)| (*count as f64, *cpu)).collect();
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .label_font(FONT)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    area.present()?;
    Ok(())
}
