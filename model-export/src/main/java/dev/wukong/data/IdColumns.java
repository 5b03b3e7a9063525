package dev.wukong.data;

/**
 * Where the slots of one feature in one of its tables lie.
 *
 * @param nth which of the feature's tables it is, from 0
 * @param table the table looked up
 * @param group the index of the table's group
 * @param position the feature's first position in the {@link EncodedRows} of its scope
 * @param start the first column in {@code slots.<scope>.<group>}; the feature owns {@code
 *     feature.maxIds()} of them
 */
public record IdColumns(
    IdFeature feature, int nth, Table table, int group, int position, int start) {
  public int width() {
    return feature.maxIds();
  }
}
