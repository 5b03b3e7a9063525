package dev.wukong.serving.rest;

import dev.wukong.proto.v1.Criticality;
import dev.wukong.proto.v1.ModelSelector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a body asks.
 *
 * @param pick of which version: its number, its label, or neither
 * @param context values by column: text, numbers, true or false, lists of these, null
 * @param candidates the same, one a candidate
 */
record Question(
    ModelSelector pick,
    String routingKey,
    Criticality criticality,
    Map<String, @Nullable Object> context,
    List<Map<String, @Nullable Object>> candidates) {}
