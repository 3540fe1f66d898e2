using System.CommandLine;
using System.CommandLine.Invocation;
using KcdDelegation.Gateway.Commands;
using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway;

/// <summary>The command line of <c>kcd-gateway</c>.</summary>
internal static class GatewayCommandLine
{
    private const string Description =
        "Runs an identity-aware proxy that calls Kerberos-protected applications as the signed-in user.";

    /// <summary>The syntax of the command line: options and values only, without response files.</summary>
    private static readonly ParserConfiguration Syntax = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Runs the command.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="output">The writer of results.</param>
    /// <param name="error">The writer of errors.</param>
    /// <param name="cancellationToken">Stops the gateway.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var config = new Option<string>("--config")
        {
            Description = "The file of settings (JSON, comments are allowed).", HelpName = "FILE", Required = true,
        };
        var check = new Option<bool>("--check")
        {
            Description = "Checks the settings, the accounts, the identity providers and the applications, and ends.",
        };
        var root = new RootCommand(Description) { config, check };
        // No directives such as [suggest]: they are a second syntax.
        root.Directives.Clear();
        root.SetAction((parsed, token) => RunAsync(
            new GatewaySettingsFile(parsed.GetRequiredValue(config)), parsed.GetValue(check), output, error, token));
        var parsed = root.Parse(arguments, Syntax);
        if (parsed.Action is ParseErrorAction || arguments is [['[', ..], ..])
        {
            foreach (var problem in parsed.Errors)
                await error.WriteLineAsync(problem.Message);
            await error.WriteLineAsync("Run kcd-gateway --help for the options.");
            return (int)ExitCode.WrongUsage;
        }
        // The host handles the signals that end the process.
        var configuration = new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = null };
        return await parsed.InvokeAsync(configuration, cancellationToken);
    }

    private static async Task<int> RunAsync(
        GatewaySettingsFile file, bool check, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            var loaded = file.Read();
            return (int)(check
                ? await CheckCommand.RunAsync(file, loaded, output, cancellationToken)
                : await ServeCommand.RunAsync(file, loaded, error, cancellationToken));
        }
        catch (GatewaySettingsException invalid)
        {
            await error.WriteLineAsync(invalid.Message);
            return (int)ExitCode.WrongUsage;
        }
    }
}
