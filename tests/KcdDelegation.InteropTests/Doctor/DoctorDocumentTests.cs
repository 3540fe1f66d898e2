using System.Globalization;
using System.Text;
using KcdDelegation.Diagnosis;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.InteropTests.Diagnosis;

namespace KcdDelegation.InteropTests.Doctor;

/// <summary>The pages that describe the checks. They need no lab. With KCD_WRITE_DOCS=1, the tests write the generated parts.</summary>
public sealed class DoctorDocumentTests
{
    [Fact]
    public Task The_table_of_checks_agrees_with_the_checks()
    {
        var table = new StringBuilder("\n| check | stage | made for each | needs | expected state |\n|---|---|---|---|---|\n");
        foreach (var check in DelegationDoctor.Checks)
        {
            table.Append(CultureInfo.InvariantCulture,
                $"| [`{check.Id}`](troubleshooting.md#{check.Help}) | {Name(check.Stage)} | {Name(check.Scope)} | "
                + $"{Describe(check.Needs)} | {check.Title} |\n");
        }
        return GeneratedSection.CheckAsync("doctor.md", "checks", table.Append('\n').ToString());
    }

    [Fact]
    public async Task The_errors_of_each_check_agree_with_the_catalogue()
    {
        var errors = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var row in ErrorCatalogue.Rows)
        {
            foreach (var check in await FoundBy.FindAsync(row))
            {
                if (!errors.TryGetValue(check, out var titles))
                    errors[check] = titles = [];
                titles.Add(TroubleshootingPage.Title(row));
            }
        }
        var list = new StringBuilder("\n");
        foreach (var check in DelegationDoctor.Checks.Where(check => errors.ContainsKey(check.Id)))
            list.Append(CultureInfo.InvariantCulture, $"| [`{check.Id}`](#{check.Help}) | {string.Join("; ", errors[check.Id])} |\n");
        await GeneratedSection.CheckAsync(
            "troubleshooting.md", "errors of checks", list.Insert(0, "\n| check | errors |\n|---|---|").Append('\n').ToString());
    }

    [Fact]
    public async Task Each_check_has_its_explanation_in_the_page_of_troubleshooting()
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(Lab.Scripts, "..", "..", "docs", "troubleshooting.md"), TestContext.Current.CancellationToken);

        foreach (var id in DelegationDoctor.Checks.Select(check => check.Id).Append("settings.valid"))
            page.ShouldContain($"| <a id=\"check-{id.Replace('.', '-')}\"></a>`{id}` | ");
    }

    private static string Name(Enum value) => value.ToString().ToLowerInvariant();

    private static string Describe(CheckNeeds needs)
    {
        string[] names =
        [
            .. new (CheckNeeds Need, string Text)[]
            {
                (CheckNeeds.Kdc, "a KDC"), (CheckNeeds.LogOn, "the log-on"), (CheckNeeds.Directory, "the directory"),
                (CheckNeeds.User, "a user"), (CheckNeeds.Evidence, "the user's ticket to the account"),
                (CheckNeeds.Ticket, "the user's ticket to the application"), (CheckNeeds.Address, "the address of the backend"),
            }.Where(each => needs.HasFlag(each.Need)).Select(each => each.Text),
        ];
        return names.Length == 0 ? "–" : string.Join(", ", names);
    }
}
