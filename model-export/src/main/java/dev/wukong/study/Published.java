package dev.wukong.study;

import dev.wukong.config.Section;

/**
 * What others report of a run. A figure that they do not give is NaN.
 *
 * @param source who says so
 * @param logLossDeviation as aucDeviation, over their seeds
 * @param parameters all trained numbers
 * @param mflop a training example's millions of FLOPs, six for each multiply-add
 * @param note in words; may be empty
 */
public record Published(
    String source,
    double auc,
    double aucDeviation,
    double logLoss,
    double logLossDeviation,
    double parameters,
    double mflop,
    String note) {

  static Published read(Section section) {
    Published published =
        new Published(
            section.text("source"),
            section.number("auc", Double.NaN, 0, 1),
            section.number("auc_deviation", Double.NaN, 0, 1),
            section.number("logloss", Double.NaN, 0, 100),
            section.number("logloss_deviation", Double.NaN, 0, 100),
            section.number("parameters", Double.NaN, 0, 1e15),
            section.number("mflop", Double.NaN, 0, 1e12),
            section.text("note", " ").strip());
    section.done();
    return published;
  }
}
