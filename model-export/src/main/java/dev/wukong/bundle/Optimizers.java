package dev.wukong.bundle;

import tools.jackson.databind.JsonNode;

/**
 * How training went on, so that it can go on: JSON objects in the optimizers' own terms.
 *
 * @param dense how the dense weights are trained
 * @param rows how the embedding rows are trained
 */
public record Optimizers(JsonNode dense, JsonNode rows) {}
