package dev.wukong.data;

/**
 * An embedding table.
 *
 * @param ordinal its place in the layout, the upper part of its rows' keys
 * @param idSpace whose ids its rows have
 * @param width floats a row
 */
public record Table(int ordinal, String name, String idSpace, int width) {}
