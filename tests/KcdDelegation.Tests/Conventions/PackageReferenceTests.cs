namespace KcdDelegation.Tests.Conventions;

/// <summary>The references between packages, which point one way. <see cref="StructureTests"/> checks the folders inside them.</summary>
public sealed class PackageReferenceTests
{
    [Fact]
    public void Packages_know_only_those_below_them()
    {
        string[] Known(System.Reflection.Assembly assembly) =>
            [.. assembly.GetReferencedAssemblies().Select(name => name.Name!)
                .Where(name => name.StartsWith("KcdDelegation", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Known(Repository.Engine).ShouldBeEmpty();
        Known(Repository.Library).ShouldBe(["KcdDelegation.Kerberos"]);
        Known(Repository.Proxy).ShouldBeSubsetOf(["KcdDelegation", "KcdDelegation.AspNetCore", "KcdDelegation.Kerberos"]);
        Known(Repository.Web).ShouldBe(["KcdDelegation", "KcdDelegation.Kerberos"]);
        Known(Repository.Directory).ShouldBe(["KcdDelegation", "KcdDelegation.Kerberos"]);
        Known(Repository.Kit).ShouldBeSubsetOf(["KcdDelegation", "KcdDelegation.Kerberos"]);
    }

    /// <summary>The test command builds them with the analyzers of trimming and of native compilation, whose warnings are
    /// errors.</summary>
    [Fact]
    public void Libraries_for_hosts_are_built_for_native_compilation()
    {
        foreach (var assembly in (System.Reflection.Assembly[])
            [Repository.Engine, Repository.Library, Repository.Web, Repository.Proxy, Repository.Directory])
        {
            System.Reflection.CustomAttributeExtensions.GetCustomAttributes<System.Reflection.AssemblyMetadataAttribute>(assembly)
                .ShouldContain(data => data.Key == "IsAotCompatible" && data.Value == "True", assembly.GetName().Name);
        }
    }

    [Fact]
    public void The_engine_needs_nothing_but_the_platform_and_logging_abstractions() =>
        Repository.Engine.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)
                && name is not ("Microsoft.Extensions.Logging.Abstractions" or "Microsoft.Win32.Primitives" or "Microsoft.Win32.Registry"))
            .ShouldBeEmpty();

    [Fact]
    public void The_library_knows_no_web_framework() =>
        Repository.Library.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)).ShouldBeEmpty();
}
