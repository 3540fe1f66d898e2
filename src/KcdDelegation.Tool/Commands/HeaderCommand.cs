using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd header</c>: one value for the <c>Authorization</c> header of one request.</summary>
internal sealed class HeaderCommand(CommandRunner runner, AccountOptions account)
{
    private const string Notes =
        """
        Each value is good for one request, within five minutes, to the service that it names: servers
        refuse one that they have seen. Whoever reads it first can use it: do not log it, and keep it out of
        arguments, which every process of the machine can read.
        It is not bound to a TLS channel: a backend that requires channel binding (Extended Protection)
        refuses it with 401, though the library, which knows the channel, gets in.

        Examples:
          kcd header --config appsettings.json --app erp --user ada \
              | sed 's/^/Authorization: /' | curl -H @- https://erp.contoso.com/
          kcd header --config appsettings.json --user ada --spn HTTP/erp.contoso.com --format spnego | kcd inspect -
        """;

    private readonly TargetOptions _target = new();

    private readonly Option<TokenFormat?> _format = new Option<TokenFormat?>("--format")
    {
        Description = "How the ticket is framed: raw Kerberos, or SPNEGO as most servers that are not Windows expect it; by default as --app has it, else raw Kerberos.",
        HelpName = "kerberos|spnego",
    }.ParsedBy(text => (TokenFormat?)(text switch
    {
        "kerberos" => TokenFormat.Kerberos,
        "spnego" => TokenFormat.Spnego,
        _ => throw new FormatException("It is kerberos or spnego."),
    }));

    public Command Create()
    {
        var command = new DocumentedCommand("header", "Get a ticket in a user's name and print one Authorization value made of it.") { Notes = Notes };
        _target.AddTo(command);
        command.Add(_format);
        account.AddTo(command);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var settings = account.Read(parsed);
        var (user, service) = (_target.ReadUser(parsed, settings), _target.ReadService(parsed, settings));
        await using var session = await DelegationSession.OpenAsync(settings, runner.Streams, log, cancellationToken);
        var ticket = await session.Client.GetTicketAsync(user, service, cancellationToken);
        var format = parsed.GetValue(_format) ?? GetFirst(settings.Application?.Options.TokenFormat);
        return HeaderResult.From(ticket, format, DelegatedCredential.FromTicket(ticket).CreateAuthorization(format).ToString());
    }

    /// <summary>An application that finds out which format its backend takes begins with raw Kerberos.</summary>
    private static TokenFormat GetFirst(TokenFormat? configured) => configured == TokenFormat.Spnego ? TokenFormat.Spnego : TokenFormat.Kerberos;
}
