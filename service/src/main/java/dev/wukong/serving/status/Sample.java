package dev.wukong.serving.status;

import java.util.Map;

/**
 * One look at the service. Figures that are not known are left out; nobody changes the maps.
 *
 * @param number of this look: the first is 0
 * @param atMillis when, since 1970
 * @param process what the process uses
 * @param refused requests a second without an answer since the sample before, by reason
 * @param models by name
 * @param shadows since the start, by model and label
 * @param learning by model, of those only that learn: figures as {@link LearningReading} names them
 */
record Sample(
    long number,
    long atMillis,
    Map<ProcessFigure, Double> process,
    Map<String, Double> refused,
    Map<String, Map<ModelFigure, Double>> models,
    Map<String, Map<String, ShadowReading>> shadows,
    Map<String, Map<String, Double>> learning) {}
