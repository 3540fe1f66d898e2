using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd map</c>: validates a token and maps it to an identity, as the library does for each request.</summary>
internal sealed class MapCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Requests the keys of the configured issuer. Does not contact a KDC. Of the claims, only the identity
        is shown.

        Examples:
          kcd map --config appsettings.json --app erp --token token.txt
          pbpaste | kcd map --config appsettings.json --app erp --token -
        """;

    private readonly Option<string> _config = new("--config")
    {
        Description = "The settings of a host (JSON, section \"Kcd\"). Required.",
        HelpName = "FILE",
    };

    private readonly Option<string> _application = new("--app")
    {
        Description = "The name of the application in the settings. Required.",
        HelpName = "NAME",
    };

    private readonly Option<string> _token = new("--token")
    {
        Description = "The file with an access token (JWT); - reads standard input. Required.",
        HelpName = "FILE|-",
    };

    public Command Create()
    {
        var command = new DocumentedCommand("map", "Validate a token and show the identity that would be delegated.") { Notes = Notes };
        command.Add(_config);
        command.Add(_application);
        command.Add(_token);
        runner.SetAction(command, RunAsync, LogLevel.None);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        var missing = new MissingOptions();
        var config = parsed.GetValue(_config) ?? missing.Add("the settings", "--config FILE");
        var name = parsed.GetValue(_application) ?? missing.Add("the application", "--app NAME");
        var tokenFile = parsed.GetValue(_token) ?? missing.Add("the token", "--token FILE, or --token - for standard input");
        missing.ThrowIfAny();

        var options = ConfigurationFile.Read(config);
        ConfigurationFile.ThrowIfInvalid(options, name);
        var application = ConfiguredApplication.Find(options, name);
        var token = await SecretInput.ReadTokenAsync(_token.Name, tokenFile, runner.Streams, cancellationToken);
        await using var client = DelegationClient.Create(options, log);
        var caller = await client.ValidateTokenAsync(SecretInput.RemoveScheme(token), cancellationToken);
        return MapResult.FromIdentity(application, await client.MapAsync(application.Name, caller, cancellationToken));
    }
}
