/**
 * How good predictions are: ROC AUC, LogLoss, normalized entropy and calibration, in double
 * precision.
 */
@NullMarked
package dev.wukong.metrics;

import org.jspecify.annotations.NullMarked;
