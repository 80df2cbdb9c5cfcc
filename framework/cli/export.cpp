// segue export: what is stored, for other programs.
#include <algorithm>
#include <functional>
#include <set>

#include <fmt/core.h>

#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/stored_model.hpp"
#include "framework/model/history_query.hpp"
#include "framework/model/retrieval.hpp"
#include "framework/store/exchange_rules.hpp"
#include "framework/store/export_lists.hpp"
#include "framework/store/imports.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kWhats{"runs", "qrels", "lists", "ratings", "candidates", "embeddings"};

struct Arguments {
  std::string results, what, label, task, fold, form, output, index;
};

std::string file_part(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != '@' && c != '=')
      c = '-';
  return out;
}

// What was asked for, as one job a file: decided before anything is written, so that -o FILE can be told from -o DIR.
struct ExportJob {
  std::string name;  // without extension
  std::function<std::vector<fs::path>(const fs::path& base)>
      write;  // base: a path without extension, or the file itself
};

class Exporter {
 public:
  Exporter(Session& session, const Arguments& args)
      : session_(session), args_(args), results_{args.results}, manifest_(results_.read_manifest()) {
    if (!args.index.empty() && args.what != "embeddings")
      throw UsageError("--index goes with --what embeddings: it is made of them");
    if (!args.index.empty()) retrieval_ = RetrievalSpec::parse(Value::string(args.index));
    form_ = args.form.empty() ? default_form() : parse_export_form(args.form);
    for (const ManifestTask& t : manifest_.tasks) {
      task_names_.push_back(t.name);
      if (args.task.empty() || args.task == t.name || args.task == t.id) tasks_.push_back(&t);
    }
    if (tasks_.empty())
      throw UsageError("{} has no task '{}'{}", args.results, args.task, suggestion(args.task, task_names_));
    if (args.label.empty()) return;
    const auto fits = [&](const std::string& label) { return matches(label); };
    if (std::none_of(manifest_.labels.begin(), manifest_.labels.end(), fits))
      throw UsageError("{} has no row '{}'{}", args.results, args.label, suggestion(args.label, manifest_.labels));
  }

  ExitCode operator()() {
    if (args_.what == "embeddings")
      plan_embeddings();
    else
      for (const ManifestTask* task : tasks_) plan_task(*task);
    if (jobs_.empty()) throw UsageError("nothing to export: {}", why_nothing());
    for (const fs::path& file : write_all()) fmt::print("{}\n", file.string());
    return ExitCode::kOk;
  }

 private:
  ExportForm default_form() const {
    if (args_.what == "runs" || args_.what == "qrels") return ExportForm::kTrec;
    return args_.what == "embeddings" ? ExportForm::kNpy : ExportForm::kCsv;
  }
  bool matches(const std::string& label) const {
    return args_.label.empty() || label == args_.label || label.starts_with(args_.label + " ");
  }  // a point of a grid
  std::string why_nothing() const {
    if (args_.what == "ratings") return "no trial of this choice has predicted ratings";
    if (args_.what == "embeddings")
      return "no model of this choice has embeddings (factor models such as implicit_als do)";
    if (args_.what == "candidates") return "in every task the whole catalogue competes";
    return args_.what == "qrels" ? "no task ranks" : "no trial of this choice holds lists";
  }
  std::string suffix() const {
    if (args_.what == "qrels" && form_ == ExportForm::kTrec) return ".qrels";
    return form_ == ExportForm::kTrec ? ".run" : fmt::format(".{}", extension(form_));
  }

  void plan_task(const ManifestTask& task) {
    const bool ratings = args_.what == "ratings";
    if (task.ratings != ratings) return;
    const fs::path file = results_.task_file(task.id);
    if (!fs::exists(file)) throw UsageError("{} is missing: run the suite first", file.string());
    const auto stored = std::make_shared<const StoredTask>(read_task(file));
    if (!args_.fold.empty() && stored->find_fold(args_.fold) == nullptr) {
      std::vector<std::string> names;
      for (const StoredTaskFold& f : stored->folds) names.push_back(f.name);
      throw UsageError("task '{}' has no fold '{}'{}", task.name, args_.fold, suggestion(args_.fold, names));
    }
    if (args_.what == "qrels" || args_.what == "candidates") {
      for (const StoredTaskFold& fold : stored->folds)
        if (args_.fold.empty() || fold.name == args_.fold) plan_truth(task, stored, fold);
      return;
    }
    for (const ManifestTrial& trial : manifest_.trials)
      if (std::find(trial.tasks.begin(), trial.tasks.end(), task.id) != trial.tasks.end() && wanted(trial))
        plan_trial(task, stored, trial);
  }

  bool wanted(const ManifestTrial& t) const {
    return matches(t.label) && (args_.fold.empty() || t.fold == args_.fold) && fs::exists(results_.trial_file(t.fit));
  }

  std::string fold_part(const std::string& fold) const { return fold == "all" ? "" : "." + fold; }
  std::string trial_part(const ManifestTrial& trial) const {
    std::set<std::uint64_t> seeds;
    for (const ManifestTrial& t : manifest_.trials)
      if (t.label == trial.label) seeds.insert(t.seed);
    return fmt::format("{}{}{}", trial.label, fold_part(trial.fold),
                       seeds.size() > 1 ? fmt::format(".seed{}", trial.seed) : "");
  }

  void plan_truth(const ManifestTask& task, const std::shared_ptr<const StoredTask>& stored,
                  const StoredTaskFold& fold) {
    const bool qrels = args_.what == "qrels";
    if (!qrels && args_.task.empty() && !TaskRules(*stored, fold).has_candidates())
      return;  // where it is named, it is told why
    jobs_.push_back(
        {task.name + fold_part(fold.name) + (qrels ? "" : ".candidates"),
         [this, stored, &fold, qrels](const fs::path& path) {
           if (!qrels)
             export_candidates(path, *stored, fold, form_);
           else if (const double scale = export_qrels(path, *stored, fold, form_); scale != 1)
             log_warning(
                 "{}: gains are fractions, and TREC files hold whole numbers: written {} times as large, and rounded",
                 path.string(), scale);
           return std::vector{path};
         }});
  }

  void plan_trial(const ManifestTask& task, const std::shared_ptr<const StoredTask>& stored,
                  const ManifestTrial& trial) {
    const fs::path file = results_.trial_file(trial.fit);
    if (!TrialFile(file).has_task(task.id)) return;
    jobs_.push_back(
        {task.name + "." + trial_part(trial), [this, stored, file, trial, id = task.id](const fs::path& path) {
           if (args_.what == "ratings") {
             export_ratings(path, *stored, TrialFile(file).ratings(id).value(), form_);
             return std::vector{path};
           }
           const StoredView view = TrialFile(file).view(id).value();
           const StoredTaskFold* fold = stored->find_fold(trial.fold);
           if (fold == nullptr)
             throw DataError("task {} has no fold '{}'; run the suite again with --fresh", id, trial.fold);
           const ExportedLists lists{*stored, *fold, view, trial.label};
           if (form_ == ExportForm::kNpy) return export_lists_npy(path, lists);
           export_lists(path, lists, form_);
           return std::vector{path};
         }});
  }

  void plan_embeddings() {
    if (form_ != ExportForm::kNpy)
      throw UsageError("embeddings are written as 'npy' with their ids as CSV, not as '{}'", args_.form);
    std::set<std::string> seen;
    for (const ManifestTrial& trial : manifest_.trials) {
      if (!wanted(trial) || trial.algorithm == kImported || !seen.insert(trial.fit).second) continue;
      if (!args_.task.empty() && std::none_of(tasks_.begin(), tasks_.end(),
                                              [&](const ManifestTask* t) { return t->dataset == trial.dataset; }))
        continue;
      auto model = std::make_shared<StoredModel>(
          open_stored_model(session_, results_.trial_file(trial.fit).string(), args_.results));
      if (model->model->embeddings() == nullptr) {
        log_info("'{}' has no embeddings", trial.label);
        continue;
      }
      jobs_.push_back(
          {trial_part(trial), [this, model](const fs::path& base) { return write_embeddings(*model, base); }});
    }
  }

  // Items, and the users of the test queries as the model sees them when it is judged.
  std::vector<fs::path> write_embeddings(const StoredModel& m, const fs::path& base) const {
    const EmbeddingSpace& space = *m.model->embeddings();
    const Matrix<float>& items = space.item_vectors();
    const auto rows = static_cast<std::size_t>(items.rows()), width = static_cast<std::size_t>(items.cols());
    const auto name = [&](const char* part) { return fs::path(base.string() + part); };
    std::vector<fs::path> files{name(".items.npy"), name(".items.csv"), name(".users.npy"), name(".users.csv")};
    write_npy(files[0], std::span(items.data(), rows * width), {rows, width});
    std::vector<std::string> titles;
    if (const ItemText* text = m.fold.facets.find<ItemText>()) titles = text->titles.to_vector();
    export_ids(files[1], m.fold.items.table().to_vector(), titles);
    const EvalSet& test = m.fold.test;
    std::vector<std::string> ids;
    for (std::size_t q = 0; q < test.size(); ++q) ids.emplace_back(m.fold.users[raw(test.users[q])]);
    const std::vector<float> users = of_queries(test, width, [&](const Query& q, auto to) { space.query_vector(q, to); });
    write_npy(files[2], users, {test.size(), width});
    export_ids(files[3], ids);
    if (!space.item_biases().empty()) {
      files.push_back(name(".item_biases.npy"));
      write_npy(files.back(), space.item_biases(), {rows});
    }
    if (args_.index.empty()) return files;
    const ItemIndex index(*m.model, retrieval_, Executor());
    files.push_back(name((".items." + args_.index).c_str()));
    index.index().save(files.back());
    const std::size_t dims = index.index().dims();
    files.push_back(name((".queries." + args_.index + ".npy").c_str()));
    write_npy(files.back(), of_queries(test, dims, [&](const Query& q, auto to) { index.query_vector(q, to); }),
              {test.size(), dims});
    return files;
  }

  // vector(query, where it is written) of each query.
  template <class Vector>
  static std::vector<float> of_queries(const EvalSet& test, std::size_t width, Vector vector) {
    std::vector<float> out(test.size() * width);
    for (std::size_t q = 0; q < test.size(); ++q)
      vector(history_query(test.users[q], test.histories[q], test.now[q]),
             std::span(out).subspan(q * width, width));
    return out;
  }

  std::vector<fs::path> write_all() {
    const bool several_files =
        form_ == ExportForm::kNpy;  // a job writes more than one, so -o is a folder or its names' beginning
    const fs::path out = args_.output;
    const bool folder =
        jobs_.size() > 1 || several_files || fs::is_directory(out) || !out.has_filename() || !out.has_extension();
    std::vector<fs::path> files;
    std::set<std::string> names;
    for (const ExportJob& job : jobs_) {
      std::string name = file_part(job.name);
      for (int n = 2; !names.insert(name).second; ++n) name = fmt::format("{}-{}", file_part(job.name), n);
      const fs::path path = !folder ? out : several_files ? out / name : out / (name + suffix());
      for (const fs::path& file : job.write(path)) files.push_back(file);
    }
    return files;
  }

  Session& session_;
  const Arguments& args_;
  ResultsFolder results_;
  Manifest manifest_;
  ExportForm form_{};
  RetrievalSpec retrieval_;  // of --index
  std::vector<std::string> task_names_;
  std::vector<const ManifestTask*> tasks_;
  std::vector<ExportJob> jobs_;
};

}  // namespace

void add_export(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd =
      add_command(app, "export", "writes lists, truth and embeddings for other programs",
                  {{"segue export results/quickstart --what qrels --task full -o trec/", "for trec_eval, and then"},
                   {"segue export results/quickstart --what runs --task full -o trec/", "a TREC run for each row"},
                   {"segue export results/quickstart --what lists --label item_knn -o lists/", "CSV with external ids"},
                   {"segue export results/quickstart --what embeddings -o vectors/", ".npy, and ids as CSV"},
                   {"segue export results/quickstart --what embeddings --index hnsw -o vectors/",
                    "and an index of the items, with what to ask it"}});
  cmd.add_option("RESULTS", args->results, "folder that `segue run` made")->required()->type_name("DIR");
  cmd.add_option("--what", args->what, "what to write")
      ->required()
      ->check(CLI::IsMember(kWhats))
      ->type_name("runs|qrels|lists|ratings|candidates|embeddings");
  cmd.add_option("--label", args->label, "one row; default: all")->type_name("NAME");
  cmd.add_option("--task", args->task, "one task, by name or id; default: all")->type_name("NAME");
  cmd.add_option("--fold", args->fold, "one fold; default: all")->type_name("NAME");
  cmd.add_option("--form", args->form, "file format; default: trec for runs and qrels, npy for embeddings, else csv")
      ->type_name(kExportForms);
  cmd.add_option("--index", args->index,
                 "with embeddings: an index of the items too, as framework/index reads it, and the test queries' vectors "
                 "as it is asked (.npy)")
      ->type_name("exact|hnsw|ivfpq|sq8");
  cmd.add_option("-o,--output", args->output, "folder, or the file where there is only one")
      ->required()
      ->type_name("DIR");
  on_run(cmd, session, [args, &session] { return Exporter(session, *args)(); });
}

}  // namespace segue
