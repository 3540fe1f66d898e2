using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd ticket</c>: S4U2Self and S4U2Proxy, and what came of them.</summary>
internal sealed class TicketCommand(CommandRunner runner, AccountOptions account)
{
    private const string Notes =
        """
        Examples:
          kcd ticket --realm CONTOSO.COM --account 'CONNECTOR$' --keytab connector.keytab \
              --user ada@contoso.com --spn HTTP/erp.contoso.com
          kcd ticket --config appsettings.json --app erp --user ada
          kcd ticket --config appsettings.json --app erp --user ada --ccache /run/ada.ccache
          KRB5CCNAME=FILE:/run/ada.ccache curl --negotiate -u : https://erp.contoso.com/

        The file that --ccache writes has mode 0600 and replaces the old one in one step. Treat it as a password.
        """;

    private readonly TargetOptions _target = new();

    private readonly Option<string> _cache = new Option<string>("--ccache")
    {
        Description = "Write the ticket into this credential cache, for programs that speak GSSAPI.",
        HelpName = "FILE",
    }.ParsedBy(CredentialCachePath);

    public Command Create()
    {
        var command = new DocumentedCommand("ticket", "Get a ticket in a user's name (S4U2Self, then S4U2Proxy) and show it.") { Notes = Notes };
        _target.AddTo(command);
        command.Add(_cache);
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
        var cache = parsed.GetValue(_cache);
        if (cache is not null)
            await ticket.WriteCredentialCacheAsync(cache, cancellationToken);
        return TicketResult.From(ticket, session.Account) with { CredentialCache = cache };
    }

    /// <summary>Kerberos programs write the type of a cache before its name; files are the one type that can be written here.</summary>
    private static string CredentialCachePath(string text)
    {
        var path = text.StartsWith("FILE:", StringComparison.Ordinal) ? text["FILE:".Length..] : text;
        string[] otherTypes = ["DIR:", "KEYRING:", "KCM:", "API:", "MEMORY:", "MSLSA:"];
        if (path.Length == 0 || otherTypes.Any(type => path.StartsWith(type, StringComparison.Ordinal)))
            throw new FormatException("A credential cache in a file is meant: --ccache FILE.");
        return path;
    }
}
