using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd inspect</c>: the unencrypted contents of a header value.</summary>
internal sealed class InspectCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Reads a header line as browsers and proxies show it, a header value, its base64 alone, or the
        complete output of curl -v. Of several headers, the first token is shown. Without a token, the
        schemes that the server offers are shown. Only unencrypted fields are read: nothing is decrypted,
        and nothing is sent.

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
        var command = new DocumentedCommand("inspect", "Show the contents of a Negotiate, Kerberos or NTLM header.") { Notes = Notes };
        command.Add(_token);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        // A header value without quotation marks is several arguments.
        var text = string.Join(' ', parsed.GetRequiredValue(_token));
        if (text == "-")
            text = await SecretInput.ReadTokenAsync("TOKEN", "-", runner.Streams, cancellationToken);
        return PastedHeader.Read(text);
    }
}
