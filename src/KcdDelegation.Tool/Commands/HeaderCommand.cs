using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd header</c>: one value for the <c>Authorization</c> header of one request.</summary>
internal sealed class HeaderCommand(CommandRunner runner, AccountOptions account)
{
    private const string Notes =
        """
        Each value is valid for one request to the named service, for five minutes. Servers refuse a value
        that they have seen. Anyone who reads the value first can use it: do not log it, and do not pass it
        as an argument, which every process of the machine can read.
        The value is not bound to a TLS channel. A backend that requires channel binding (Extended
        Protection) responds with 401, although requests of the library, which binds its values, succeed.

        Examples:
          kcd header --config appsettings.json --app erp --user ada \
              | sed 's/^/Authorization: /' | curl -H @- https://erp.contoso.com/
          kcd header --config appsettings.json --user ada --spn HTTP/erp.contoso.com --format spnego | kcd inspect -
        """;

    private readonly TargetOptions _target = new();

    private readonly Option<TokenFormat?> _format = new Option<TokenFormat?>("--format")
    {
        Description = "The format of the token: raw Kerberos, or SPNEGO, which most servers other than Windows expect. "
            + "Default: the format of --app, otherwise raw Kerberos.",
        HelpName = "kerberos|spnego",
    }.WithParser(text => (TokenFormat?)(text switch
    {
        "kerberos" => TokenFormat.Kerberos,
        "spnego" => TokenFormat.Spnego,
        _ => throw new FormatException("The value must be kerberos or spnego."),
    }));

    public Command Create()
    {
        var command = new DocumentedCommand("header", "Get a ticket in a user's name and print one Authorization value.") { Notes = Notes };
        _target.AddTo(command);
        command.Add(_format);
        account.AddTo(command);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var (settings, user, service) = DelegationArguments.Read(parsed, account, _target);
        await using var session = await DelegationSession.OpenAsync(settings, runner.Streams, log, recorder: null, cancellationToken);
        var ticket = await session.Client.GetTicketAsync(user, service, cancellationToken);
        var format = parsed.GetValue(_format) ?? GetInitialFormat(settings.Application?.Options.TokenFormat);
        return HeaderResult.FromTicket(ticket, format, DelegatedCredential.FromTicket(ticket).CreateAuthorization(format).ToString());
    }

    /// <summary>Returns the format of the first request. With TokenFormat Auto, the library begins with raw Kerberos.</summary>
    private static TokenFormat GetInitialFormat(TokenFormat? configured) =>
        configured == TokenFormat.Spnego ? TokenFormat.Spnego : TokenFormat.Kerberos;
}
