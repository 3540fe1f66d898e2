using System.CommandLine;

namespace KcdDelegation.Gateway.Commands;

/// <summary>The command line of <c>kcd-gateway</c>.</summary>
internal static class GatewayCommandLine
{
    private const string Description =
        "Runs an identity-aware proxy that calls Kerberos-protected applications as the signed-in user.";

    /// <summary>The syntax of the command line: options and values only, without response files.</summary>
    private static readonly ParserConfiguration Syntax = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Runs the command.</summary>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(
        IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand(Description);
        // No directives such as [suggest]: they are a second syntax.
        root.Directives.Clear();
        return root.Parse(arguments, Syntax).InvokeAsync(
            new InvocationConfiguration { Output = output, Error = error }, cancellationToken);
    }
}
