package dev.wukong.study;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

final class StudyReports {
  private StudyReports() {}

  static void write(Study study, List<Result> results, Path out) throws IOException {}
}
