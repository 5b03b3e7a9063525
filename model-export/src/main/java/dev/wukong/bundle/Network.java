package dev.wukong.bundle;

import tools.jackson.databind.JsonNode;

/**
 * What was trained.
 *
 * @param name the kind of model, such as {@code wukong}
 * @param hyperparameters its configuration, a JSON object in the model's own terms
 */
public record Network(String name, JsonNode hyperparameters) {}
