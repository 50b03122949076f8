// Kinds that no runner performs: a gate is ended by a person's answer, a machine by its child run.
// The decider knows what they do; here stands only what definitions may give them and read from
// them.
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace {

class SignatureKind final : public JobKind {
 public:
  SignatureKind(const KindText& text, JobSignature::Performer performer)
      : signature_(signature_of(text)) {
    signature_.performer = performer;
  }
  const JobSignature& signature() const override { return signature_; }
  JobOutcome run(const JobSpec& spec, const JobContext& context) const override {
    static_cast<void>(spec);
    static_cast<void>(context);
    return not_completed(JobStatus::error, FailureClass::code,
                         signature_.name + " is not for a runner to perform");
  }

 private:
  JobSignature signature_;
};

}  // namespace

void add_person_kinds(JobCatalog& catalog) {
  catalog.add(std::make_unique<SignatureKind>(
      KindText{"gate", "A question only a person can answer",
               "{question: string, options?: list<string>, evidence?: list<string>, "
               "details?: dyn}",
               "{decision: string, reason: string, actor: string}", Repeat::safe},
      JobSignature::Performer::person));
  catalog.add(std::make_unique<SignatureKind>(
      KindText{"machine", "Another statechart, run as a child", "dyn", "dyn", Repeat::safe},
      JobSignature::Performer::machine));
}

}  // namespace checkride::jobs
