using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd ticket</c>: S4U2Self and S4U2Proxy, and the resulting ticket.</summary>
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

        The file that --ccache writes has mode 0600 and replaces an existing file atomically. Protect it like
        a password.
        """;

    private readonly TargetOptions _target = new();

    private readonly Option<string> _cache = new Option<string>("--ccache")
    {
        Description = "Write the ticket to this credential cache file, for programs that use GSSAPI.",
        HelpName = "FILE",
    }.WithParser(ParseCachePath);

    public Command Create()
    {
        var command = new DocumentedCommand("ticket",
            "Get a ticket in a user's name (S4U2Self, then S4U2Proxy) and show it.") { Notes = Notes };
        _target.AddTo(command);
        command.Add(_cache);
        account.AddTo(command);
        runner.SetAction(command, RunAsync);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var (settings, user, service) = DelegationArguments.Read(parsed, account, _target);
        await using var session = await DelegationSession.OpenAsync(settings, runner.Streams, log, recorder: null, cancellationToken);
        var ticket = await session.Client.GetTicketAsync(user, service, cancellationToken);
        var cache = parsed.GetValue(_cache);
        if (cache is not null)
            await ticket.WriteCredentialCacheAsync(cache, cancellationToken);
        return TicketResult.FromTicket(ticket, session.Account) with { CredentialCache = cache };
    }

    /// <summary>Returns the path of a cache name. Kerberos programs write the cache type before the name; only files are supported
    /// here.</summary>
    private static string ParseCachePath(string text)
    {
        var path = text.StartsWith("FILE:", StringComparison.Ordinal) ? text["FILE:".Length..] : text;
        string[] otherTypes = ["DIR:", "KEYRING:", "KCM:", "API:", "MEMORY:", "MSLSA:"];
        if (path.Length == 0 || otherTypes.Any(type => path.StartsWith(type, StringComparison.Ordinal)))
            throw new FormatException("Only a credential cache file is supported: --ccache FILE.");
        return path;
    }
}
