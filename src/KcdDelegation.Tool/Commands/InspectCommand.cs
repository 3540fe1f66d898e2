using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd inspect</c>: what a header value is, told by object identifiers.</summary>
internal sealed class InspectCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Reads a line as browsers and proxies show it, a header's value, its base64 alone, or all that curl -v shows.
        Of several headers it takes the first token; if there is none, it tells what the server offers. Opens nothing and
        asks nobody.

        Examples:
          kcd inspect 'Authorization: Negotiate YIIH…'
          kcd inspect TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAA=
          kcd inspect 'WWW-Authenticate: Negotiate, NTLM'
          curl -sv https://erp.contoso.com/ 2>&1 | kcd inspect -
          kcd header … | kcd inspect -
        """;

    private readonly Argument<string[]> _token = new("TOKEN|-")
    {
        Description = "A value of Authorization or WWW-Authenticate; - reads standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    public Command Create()
    {
        var command = new DocumentedCommand("inspect", "Tell what a Negotiate, Kerberos or NTLM header carries.") { Notes = Notes };
        command.Add(_token);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        // Unquoted on a command line, a header's value is several arguments.
        var text = string.Join(' ', parsed.GetRequiredValue(_token));
        if (text == "-")
            text = await SecretInput.ReadTokenAsync("-", runner.Streams, cancellationToken);
        return PastedHeader.Read(text);
    }
}
