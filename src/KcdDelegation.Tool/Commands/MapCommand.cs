using System.CommandLine;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd map</c>: token to identity, as the library does it for each request; no KDC is asked.</summary>
internal sealed class MapCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Asks the issuer of the settings for its keys, and no KDC. Shows no claim but the identity.

        Examples:
          kcd map --config appsettings.json --app erp --token token.txt
          pbpaste | kcd map --config appsettings.json --app erp --token -
        """;

    private readonly Option<string> _config = new("--config") { Description = "Settings of a host (JSON, section \"Kcd\").", HelpName = "FILE", Required = true };

    private readonly Option<string> _application = new("--app") { Description = "The application, by its name in the settings.", HelpName = "NAME", Required = true };

    private readonly Option<string> _token = new("--token")
    {
        Description = "An access token (JWT) in a file; - reads standard input.",
        HelpName = "FILE|-",
        Required = true,
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
        var options = ConfigurationFile.Read(parsed.GetRequiredValue(_config));
        var application = ConfiguredApplication.Find(options, parsed.GetRequiredValue(_application));
        var token = await SecretInput.ReadTokenAsync(parsed.GetRequiredValue(_token), runner.Streams, cancellationToken);
        await using var client = Create(options, log);
        var caller = await client.ValidateTokenAsync(WithoutScheme(token), cancellationToken);
        return MapResult.From(application, await client.MapAsync(application.Name, caller, cancellationToken));
    }

    private static DelegationClient Create(KcdOptions options, ILoggerFactory log)
    {
        try
        {
            return DelegationClient.Create(options, log);
        }
        catch (OptionsValidationException wrong)
        {
            throw new UsageException(string.Join(Environment.NewLine, wrong.Failures.Prepend("The settings are wrong:")), wrong);
        }
    }

    /// <summary>Tokens are copied out of headers.</summary>
    private static string WithoutScheme(string token) =>
        token.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? token["Bearer ".Length..].TrimStart() : token;
}
