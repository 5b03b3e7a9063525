package dev.wukong.serving.retraining;

import java.util.Map;

/** A state that was found healthy, with its dense weights and what their optimizer keeps. */
record NewHealthy(Generation generation, Map<String, float[]> dense) {}
