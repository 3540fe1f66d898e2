using System.Text.RegularExpressions;
using KcdDelegation.InteropTests;

namespace KcdDelegation.Gateway.Tests.Commands;

/// <summary>The example of docs/gateway.md: from an empty domain to a page of Apache, with the commands of the page.</summary>
public sealed partial class ExampleTests
{
    [Fact]
    public async Task The_commands_of_the_page_lead_to_a_page_of_Apache_for_each_user_who_signs_in()
    {
        Lab.Require("provider", "samba", "web");
        var page = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "docs", "gateway.md"), TestContext.Current.CancellationToken);
        var blocks = CommandBlock().Matches(page);
        blocks.Count.ShouldBeGreaterThan(4);

        var script = Preparation + string.Concat(blocks.Select(block => block.Groups["commands"].Value));
        var output = await LabProgram.RunAsync(
            "bash",
            [
                "-c", script.Replace("/tmp/kcdlab", Lab.Directory, StringComparison.Ordinal), "example", Repository.Root,
                AppContext.BaseDirectory,
            ],
            input: "", TestContext.Current.CancellationToken);

        output.ShouldContain("WWW-Authenticate: Negotiate", Case.Sensitive);
        AcceptedCheck().Count(output).ShouldBe(4, output);
        output.ShouldContain("\n401\n", Case.Sensitive);
        DelegatedUser().Matches(output).Select(user => user.Value)
            .ShouldBe(["REMOTE_USER=alice@AD.TEST", "REMOTE_USER=bob@AD.TEST", "REMOTE_USER=alice@AD.TEST"], output);
    }

    /// <summary>Removes what a canceled run left, and ends the gateway if a command fails.</summary>
    private const string Preparation = """
        set -euo pipefail
        cd "$1"
        export PATH="$2:$PATH" NO_PROXY='*' no_proxy='*'
        rm -rf /tmp/kcd-example
        tests/lab/samba tool user delete svc-gateway >/dev/null 2>&1 || true
        gateway=
        trap 'rc=$?; if [ $rc != 0 ]; then cat /tmp/kcd-example/gateway.log >&2 || true; kill $gateway || true; fi' EXIT

        """;

    [GeneratedRegex(@"<!-- code: walkthrough -->\s*```sh\n(?<commands>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex CommandBlock();

    [GeneratedRegex("^ok ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AcceptedCheck();

    [GeneratedRegex(@"REMOTE_USER=\S+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DelegatedUser();
}
